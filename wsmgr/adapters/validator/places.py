"""What a checker sees in one file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

CLOSER_BYTES = 256 * 1024
"""Files up to this size are always looked at name by name."""


class Seen(NamedTuple):
    """`line` and `column` count from 1, the column in characters."""

    line: int
    column: int
    rule: str
    what: str


def column_of(lines: Sequence[bytes], row: int, byte: int) -> int:
    """The column, from 1, of a byte in a row, from 0. Parsers count bytes, and editors characters."""
    line = lines[row] if row < len(lines) else b""
    return len(line[:byte].decode("utf-8", "replace")) + 1
