"""The same answer straight from the package, on this machine, with no plugin and no wsmgr in between."""

import json
import sys

import pygments
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import find_lexer_class_by_name

asked = json.load(open(sys.argv[1], encoding="utf-8"))
formatter = HtmlFormatter(linenos="inline")
html = {}
for name, text in asked["snippets"].items():
    html[name] = pygments.format(pygments.lex(text, find_lexer_class_by_name(name)()), formatter)
json.dump({"html": html, "css": formatter.get_style_defs(".highlight")}, sys.stdout)
