"""One frame of the fleet in plain text, for pipes and `watch`."""

from __future__ import annotations

from collections.abc import Callable

from tui.model.cell import Cell
from tui.model.columns import layout
from tui.model.format import fit
from tui.model.link import Link
from tui.model.summary import Cells, fleet_line, host_line, warning_line
from tui.model.view import View
from wsmgr.wire.fleet import FleetHost

Paint = Callable[[Cell, str], str]
"""The text of a cell, as fitted, with or without its colour."""

_COLOURS = {
    "ok": "32", "warm": "33", "hot": "1;31", "bad": "1;31", "dim": "2", "id": "1", "accent": "36", "title": "1",
    "key": "1;36",
}  # fmt: skip


def plain(cell: Cell, text: str) -> str:
    """No colour."""
    del cell
    return text


def ansi(cell: Cell, text: str) -> str:
    """With the terminal's own 16 colours."""
    code = _COLOURS.get(cell.style)
    return f"\x1b[{code}m{text}\x1b[0m" if code and text.strip() else text


def frame(
    view: View,
    counts: dict[str, int],
    host: FleetHost | None,
    *,
    now: float,
    width: int,
    rows: int | None,
    paint: Paint,
) -> list[str]:
    """The lines on top, the head of the table, and the rows (at most `rows`; None: all)."""
    found = view.rows(now)
    shown = len(found) if view.filter.text else None
    lines = [
        _joined(fleet_line(counts, Link(now), shown=shown, read_only=False, width=width), paint),
        _joined(host_line(host, width), paint),
    ]
    if warning := warning_line(host):
        lines.append(paint(Cell(warning, "warm"), fit(warning, width).rstrip()))
    columns = layout(width)
    titles = [fit(one.title, one.width, right=one.right) for _, one in columns]
    lines.append(paint(Cell("", "title"), " ".join(titles).rstrip()))
    for row in found[:rows]:
        cells = [(one.cell(row, now, column.width), column) for one, column in columns]
        parts = [paint(cell, fit(cell.text, column.width, right=column.right)) for cell, column in cells]
        lines.append(" ".join(parts).rstrip())
    if rows is not None and len(found) > rows:
        lines.append(paint(Cell("", "dim"), f"and {len(found) - rows} more"))
    return lines


def _joined(cells: Cells, paint: Paint) -> str:
    return "".join(paint(cell, fit(cell.text, width)) for cell, width in cells).rstrip()
