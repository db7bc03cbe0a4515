"""Highlights source code in several languages, with the public package Pygments, used unchanged."""

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name


def execute(input, context):
    """Answers HTML for each of `input["snippets"]`, and the style sheet."""
    formatter = HtmlFormatter(linenos="inline")
    found = {name: highlight(text, get_lexer_by_name(name), formatter) for name, text in input["snippets"].items()}
    return {"html": found, "css": formatter.get_style_defs(".highlight")}
