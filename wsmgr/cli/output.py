"""What goes to standard output (the result, alone) and to standard error (everything about it)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from wsmgr.cli.humane import printable


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with a colour; the text alone says the same."""

    text: str
    style: str = ""


_STATUS = {
    "RUNNING": Cell("● RUNNING", "green"),
    "CREATING": Cell("◐ CREATING", "yellow"),
    "PAUSED": Cell("‖ PAUSED", "cyan"),
    "STOPPED": Cell("○ STOPPED", "dim"),
    "ERROR": Cell("✖ ERROR", "bold red"),
}
_LEVEL = {
    "enforced": Cell("✔ enforced", "green"),
    "best effort": Cell("~ best effort", "yellow"),
    "absent": Cell("✖ absent", "red"),
}
_STATE = {
    "succeeded": Cell("✔ succeeded", "green"),
    "queued": Cell("◌ queued", "dim"),
    "running": Cell("● running", "yellow"),
    "failed": Cell("✖ failed", "red"),
    "lost": Cell("? lost", "bold red"),
    "cancelled": Cell("○ cancelled", "dim"),
}


def status_cell(status: str) -> Cell:
    """A workspace's status, with its glyph."""
    return _STATUS.get(status, Cell(status))


def level_cell(level: str) -> Cell:
    """A capability's level, with its glyph."""
    return _LEVEL.get(level, Cell(level))


def state_cell(state: str) -> Cell:
    """An execution's state, with its glyph."""
    return _STATE.get(state, Cell(state))


def print_json(value: object) -> None:
    """One JSON document, and nothing else, on standard output."""
    sys.stdout.write(json.dumps(plain(value), indent=2) + "\n")


def plain(value: object) -> object:
    """A JSON value for a wire model, or for a list or dict of them."""
    if isinstance(value, dict):
        return {str(name): plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    dump = getattr(value, "model_dump", None)
    return value if dump is None else dump(mode="json")


def say(line: str = "") -> None:
    """A line of the result, safe for a terminal."""
    sys.stdout.write(printable(line) + "\n")


def note(line: str) -> None:
    """Progress, a warning, a hint: never part of the result."""
    sys.stderr.write(printable(line) + "\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str | Cell]]) -> None:
    """Aligned columns: with colour and fitted to the width on a terminal, plain and whole elsewhere."""
    cells = [[_cell(item) for item in row] for row in rows]
    if sys.stdout.isatty():
        _print_rich(columns, cells)
        return
    lines = [list(columns), *([cell.text for cell in row] for row in cells)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        padded = "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True))
        sys.stdout.write(padded.rstrip() + "\n")


def print_fields(fields: Sequence[tuple[str, str | Cell]]) -> None:
    """Names and values, one pair a line."""
    width = max(len(name) for name, _ in fields)
    for name, value in fields:
        sys.stdout.write(f"{name.ljust(width)}  {_cell(value).text}\n")


def _cell(item: str | Cell) -> Cell:
    cell = item if isinstance(item, Cell) else Cell(item)
    return Cell(printable(cell.text).replace("\n", " ").replace("\t", " "), cell.style)


def _print_rich(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    from rich.console import Console  # noqa: PLC0415  # only where there is a terminal to draw on
    from rich.table import Table  # noqa: PLC0415  # as above
    from rich.text import Text  # noqa: PLC0415  # as above

    # NO_COLOR is taken at its widest: no escape sequence at all.
    bare = bool(os.environ.get("NO_COLOR"))
    table = Table(box=None, pad_edge=False, header_style="" if bare else "bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # Text, not str: square brackets in a name are no markup.
        table.add_row(*(Text(cell.text, style="" if bare else cell.style) for cell in row))
    Console().print(table)
