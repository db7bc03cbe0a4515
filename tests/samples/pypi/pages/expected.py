"""The same answer straight from the package, on this machine, with no plugin and no wsmgr in between."""

import json
import sys

from markdown import Markdown

page = Markdown(extensions=["fenced_code", "toc", "tables"])
html = page.convert(json.load(open(sys.argv[1], encoding="utf-8"))["markdown"])
json.dump({"html": html, "toc": page.toc_tokens}, sys.stdout)
