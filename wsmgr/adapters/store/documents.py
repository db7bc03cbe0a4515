"""JSON texts and plain texts, as both databases can hold them."""

from __future__ import annotations

import json

import orjson


def json_text(value: object) -> str | None:
    """The JSON text of a value; None for null. Raises TypeError, ValueError or RecursionError when it has none."""
    if value is None:
        return None
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        # Lone surrogates, integers over 64 bits and deep nesting are JSON too, only not orjson's.
        return json.dumps(value, allow_nan=False, separators=(",", ":"))


def json_value(text: str | None) -> object:
    """What `json_text` was given."""
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def plain_text(text: str) -> str:
    """The text without what a database refuses: NUL (PostgreSQL) and lone surrogates (both) become U+FFFD or `?`."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
