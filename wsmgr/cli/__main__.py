"""`python -m wsmgr.cli`."""

from wsmgr.cli import main

main()
