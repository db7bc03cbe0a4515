"""The columns of the fleet: what each shows, how wide, and which ones stay when the terminal is narrow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui.model import format as say
from tui.model.cell import Cell, Column, status_cell
from tui.model.row import Row, heat


@dataclass(frozen=True, slots=True)
class FleetColumn:
    """`width` and `wide` in cells: on narrow and wide terminals. Columns of a high `rank` go first when room lacks."""

    key: str
    title: str
    width: int
    wide: int
    rank: int
    cell: Callable[[Row, float, int], Cell]
    right: bool = False


def _cpu(row: Row, _: float, width: int) -> Cell:
    if width < 12:
        return Cell(say.percent(row.cpu_percent), heat(row.cpu_share))
    return Cell(f"{say.bar(row.cpu_share, width - 6)} {say.percent(row.cpu_percent):>5}", heat(row.cpu_share))


def _memory(row: Row, _: float, width: int) -> Cell:
    used = say.mebibytes(row.memory_mb)
    if row.memory_mb is None:
        return Cell(say.NOTHING)
    text = f"{used:>4}/{say.mebibytes(row.memory_limit_mb)}"
    if width >= 16:
        text = f"{say.bar(row.memory_share, width - 10)} {text:<9}"
    return Cell(text, heat(row.memory_share))


def _network(row: Row, _: float, width: int) -> Cell:
    if row.network_rate is None:
        return Cell(say.NOTHING, "dim")
    if width < 12:
        return Cell(say.size(row.network_rate), "" if row.network_rate else "dim")
    text = f"↓{say.size(row.received_rate):<5}↑{say.size(row.sent_rate):<5}"
    return Cell(text, "" if row.network_rate else "dim")


def _health(row: Row, _: float, width: int) -> Cell:
    del width
    if row.healthy is None:
        return Cell(say.NOTHING, "dim")
    return Cell("✔ ok", "ok") if row.healthy else Cell(f"✖ {row.failures}", "bad")


def _idle(row: Row, now: float, width: int) -> Cell:
    if row.next_rung is None:
        return Cell(say.NOTHING, "dim")
    name, at = row.next_rung
    left = "now" if at <= now else say.coarse(at - now)
    word = ("pause " if name == "PAUSED" else "stop ") if width >= 9 else f"{status_cell(name).text[0]} "
    return Cell(f"{word}{left}", "dim")


def _restarts(row: Row, _: float, width: int) -> Cell:
    del width
    return Cell(str(row.restarts), "warm" if row.restarts else "dim")


def _up(row: Row, now: float, width: int) -> Cell:
    del width
    return Cell(say.NOTHING, "dim") if row.started_at is None else Cell(say.coarse(now - row.started_at))


def _reason(row: Row, _: float, width: int) -> Cell:
    del width
    return Cell(say.printable(row.reason), "bad" if row.status == "ERROR" else "dim")


COLUMNS: tuple[FleetColumn, ...] = (
    FleetColumn("id", "WORKSPACE", 16, 24, 0, lambda row, _, __: Cell(row.id, "id")),
    FleetColumn("status", "STATUS", 10, 10, 0, lambda row, _, __: status_cell(row.status)),
    FleetColumn("plan", "PLAN", 5, 10, 4, lambda row, _, __: Cell(row.plan or say.NOTHING, "" if row.plan else "dim")),
    FleetColumn("cpu", "CPU", 5, 14, 1, _cpu, right=True),
    FleetColumn("mem", "MEMORY", 9, 19, 1, _memory, right=True),
    FleetColumn("net", "NET/s", 5, 12, 5, _network, right=True),
    FleetColumn("exec", "EX/M", 4, 5, 3, lambda row, _, __: Cell(say.count(row.executions_per_minute)), right=True),
    FleetColumn("health", "HEALTH", 6, 6, 6, _health),
    FleetColumn("restarts", "RST", 3, 3, 5, _restarts, right=True),
    FleetColumn("up", "UP", 4, 4, 2, _up, right=True),
    FleetColumn("idle", "IDLE", 5, 9, 4, _idle, right=True),
    FleetColumn("reason", "REASON", 18, 24, 7, _reason),
)  # fmt: skip
"""In the order in which they stand; their keys are those of `sort.VALUES`."""

_GROWTH = ("mem", "id", "plan", "idle", "exec", "cpu", "net", "status", "health", "restarts", "up", "reason")
"""Who gets what is left over, in this order."""

SORT_KEYS = tuple(column.key for column in COLUMNS)


def layout(width: int) -> list[tuple[FleetColumn, Column]]:
    """Which columns fit into `width` cells, with one cell between them, and how wide each becomes. What is left over
    goes to the id, up to 40 cells, and to the reason."""
    shown = list(COLUMNS)
    while sum(column.width + 1 for column in shown) > width and any(column.rank for column in shown):
        shown.remove(max(shown, key=lambda column: (column.rank, column.key)))
    widths = {column.key: column.width for column in shown}
    left = width - sum(one + 1 for one in widths.values())
    for column in sorted(shown, key=lambda column: _GROWTH.index(column.key)):
        more = min(column.wide - column.width, left)
        # A bar of some cells less is no bar; an id of some cells more is worth having.
        if more == column.wide - column.width or column.key == "id":
            widths[column.key] += more
            left -= more
    longer = min(left, 16) if "reason" in widths else left
    widths["id"] += longer
    if "reason" in widths:
        widths["reason"] += left - longer
    return [(one, Column(one.key, one.title, max(widths[one.key], 1), right=one.right)) for one in shown]
