"""The command line, `wsmgr`. Nothing heavy is imported before the command that needs it runs."""

from __future__ import annotations


def main() -> None:
    """The entry point."""
    import sys  # noqa: PLC0415  # the package is imported by programs that never run a command

    from wsmgr.cli.run import run  # noqa: PLC0415  # as above

    sys.exit(run(sys.argv[1:]))
