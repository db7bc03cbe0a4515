"""The lines that stand over every screen: the fleet, the host, the connection, and the standing warnings."""

from __future__ import annotations

from rich.cells import cell_len

from tui.model import format as say
from tui.model.cell import Cell, status_cell
from tui.model.link import Link
from tui.model.row import heat
from wsmgr.wire.fleet import FleetHost

Cells = list[tuple[Cell, int]]
"""With their widths."""

_SPACE = Cell("")
_STATUSES = ("RUNNING", "CREATING", "PAUSED", "STOPPED", "ERROR")


def fleet_line(counts: dict[str, int], link: Link, *, shown: int | None, read_only: bool, width: int) -> Cells:
    """How many workspaces are in which status; at the right end how the connection is. `shown`: how many a filter
    lets through, None without a filter."""
    total = sum(counts.values())
    cells: Cells = [(Cell(" wsmgr ", "title"), 7)]
    words = say.plural(total, "workspace") if shown is None else f"{shown} of {say.plural(total, 'workspace')}"
    cells.append((Cell(words), cell_len(words) + 2))
    right = _link_cells(link, read_only=read_only)
    room = width - sum(one for _, one in cells) - sum(one for _, one in right)
    for name in _STATUSES:
        number, cell = counts.get(name, 0), status_cell(name)
        # Two forms: with the word where there is room for all words, else the glyph and the count.
        text = f"{cell.text[0]} {number} {name}" if room >= 70 else f"{cell.text[0]}{number}"
        cells.append((Cell(text, cell.style if number else "dim"), 14 if room >= 70 else max(len(text) + 2, 5)))
    gap = width - sum(one for _, one in cells) - sum(one for _, one in right)
    return [*cells, (_SPACE, max(gap, 0)), *right]


def _link_cells(link: Link, *, read_only: bool) -> Cells:
    cells: Cells = [(Cell("READ-ONLY", "warm"), 11)] if read_only else []
    if link.live:
        return [*cells, (Cell("● live", "ok"), 7)]
    word = "◐ connecting" if link.trouble is None else f"✖ {link.trouble.headline.lower()}"
    return [*cells, (Cell(word, "warm" if link.trouble is None else "bad"), cell_len(word) + 1)]


def host_line(host: FleetHost | None, width: int) -> Cells:
    """CPU, memory, what workspaces were promised, disk, load, engine. What does not fit on the right is left out."""
    if host is None:
        return [(Cell(" waiting for the first figures", "dim"), width)]
    wide = width >= 110
    bar = 8 if wide else 4
    busy = None if host.cpu_percent is None else host.cpu_percent / 100
    parts: list[Cells] = [
        _meter("CPU", busy, say.percent(host.cpu_percent), bar, 4),
        _meter(
            "MEM", host.memory_used_mb / max(host.memory_total_mb, 1),
            f"{say.mebibytes(host.memory_used_mb)}/{say.mebibytes(host.memory_total_mb)}", bar, 9,
        ),
        _promised(host),
        _engine(host),
        [(Cell("ALERTS ", "dim"), 7), (Cell(str(host.open_alerts), "bad" if host.open_alerts else "ok"), 5)],
        _disk(host, bar),
        [(Cell("EX/M ", "dim"), 5), (Cell(say.count(host.executions_per_min)), 6)],
        [(Cell("ERR/M ", "dim"), 6), (Cell(say.count(host.errors_per_min), "bad" if host.errors_per_min else ""), 6)],
        [(Cell("LOAD ", "dim"), 5), (Cell(f"{host.load_average[0]:.1f}" if host.load_average else say.NOTHING), 6)],
    ]  # fmt: skip
    cells: Cells = [(_SPACE, 1)]
    for part in parts:
        if sum(one for _, one in [*cells, *part]) <= width + 2:
            cells += part
    return cells


def _meter(name: str, share: float | None, words: str, bar: int, room: int) -> Cells:
    style = heat(share) or "ok"
    return [
        (Cell(f"{name} ", "dim"), len(name) + 1),
        (Cell(say.bar(share, bar), style), bar + 1),
        (Cell(words, heat(share)), room + 2),
    ]


def _promised(host: FleetHost) -> Cells:
    """What the plans of those that run add up to, against the budget."""
    budget = host.memory_budget_mb
    share = host.memory_held_mb / budget if budget else None
    words = say.mebibytes(host.memory_held_mb) + (f"/{say.mebibytes(budget)}" if budget else "")
    return [(Cell("HELD ", "dim"), 5), (Cell(words, heat(share)), 11)]


def _disk(host: FleetHost, bar: int) -> Cells:
    if host.disk_used_bytes is None or not host.disk_total_bytes:
        return [(Cell("DISK ", "dim"), 5), (Cell(say.NOTHING), 4)]
    words = f"{say.size(host.disk_used_bytes)}/{say.size(host.disk_total_bytes)}"
    return _meter("DISK", host.disk_used_bytes / host.disk_total_bytes, words, bar, 9)


def _engine(host: FleetHost) -> Cells:
    word = Cell("✔ ok", "ok") if host.engine_away is None else Cell("✖ away", "bad")
    return [(Cell("ENGINE ", "dim"), 7), (word, 8)]


def warning_line(host: FleetHost | None) -> str:
    """What stands as long as it is so; empty when nothing does."""
    if host is None:
        return ""
    said = []
    if host.engine_away is not None:
        said.append(f"The engine is away: {say.printable(host.engine_away)}")
    if host.limits_not_enforced:
        names = ", ".join(host.limits_not_enforced)
        said.append(f"This host does not enforce: {names}. H shows why and what mends it.")
    return " ▲ " + " · ".join(said) if said else ""
