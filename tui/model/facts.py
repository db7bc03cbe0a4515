"""What a workspace is and uses now, in two lines that keep what matters most when the terminal is narrow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.cells import cell_len

from tui.model import format as say
from tui.model.cell import Cell
from tui.model.row import Row, heat
from wsmgr.wire.workspace import ResourceUsage

_BETWEEN = Cell(" · ", "dim")


@dataclass(frozen=True, slots=True)
class Fact:
    """Those of a high `rank` go first when room lacks."""

    rank: int
    cells: tuple[Cell, ...]

    @property
    def width(self) -> int:
        """In cells, with what stands between it and the next."""
        return sum(cell_len(cell.text) for cell in self.cells) + len(_BETWEEN.text)


def fitted(facts: Iterable[Fact], width: int) -> list[Cell]:
    """As many as fit, in their order."""
    shown = list(facts)
    while len(shown) > 1 and sum(one.width for one in shown) - len(_BETWEEN.text) + 1 > width:
        shown.remove(max(shown, key=lambda one: one.rank))
    cells = [Cell(" ")]
    for number, one in enumerate(shown):
        cells += [*([_BETWEEN] if number else []), *one.cells]
    return cells


def state_facts(row: Row, now: float) -> list[Fact]:
    """What it uses of what it may, and how it is."""
    share = "" if row.cpu_share is None else f", {say.percent(row.cpu_share * 100)} of its limit"
    facts = [
        Fact(0, (Cell("CPU ", "dim"), Cell(f"{say.percent(row.cpu_percent)} of a core{share}", heat(row.cpu_share)))),
        Fact(0, (
            Cell("memory ", "dim"),
            Cell(f"{say.mebibytes(row.memory_mb)} of {say.mebibytes(row.memory_limit_mb)}", heat(row.memory_share)),
        )),
        Fact(3, (Cell("not running" if row.started_at is None else f"up {say.coarse(now - row.started_at)}", "dim"),)),
    ]  # fmt: skip
    if row.next_rung is not None:
        word = {"PAUSED": "pauses", "STOPPED": "stops"}[row.next_rung[0]]
        facts.append(Fact(4, (Cell(f"{word} in {say.coarse(max(row.next_rung[1] - now, 0))}", "dim"),)))
    facts.append(Fact(5, (Cell(row.plan or "no plan", "dim"),)))
    facts.append(Fact(6, (Cell(row.isolation, "dim"),)))
    if row.restarts:
        facts.append(Fact(2, (Cell(say.plural(row.restarts, "restart"), "warm"),)))
    if row.healthy is not None:
        healthy = Cell("✔ healthy", "ok")
        facts.append(Fact(1, (healthy if row.healthy else Cell(f"✖ {row.failures} failed checks", "bad"),)))
    if row.unenforced:
        facts.append(Fact(2, (Cell(f"▲ not enforced: {', '.join(row.unenforced)}", "warm"),)))
    return facts


def use_facts(row: Row) -> list[Fact]:
    """The rest of what it uses; nothing when it does not run."""
    if row.source is None or row.status not in {"RUNNING", "PAUSED"}:
        return []
    used, limits = row.source.resource_usage, row.source.limits
    facts = [
        Fact(0, (Cell("network ", "dim"), Cell(_rates(used)), Cell(_totals(used), "dim"))),
        Fact(1, (Cell("calls/min ", "dim"), *_calls(used))),
        Fact(3, (Cell("tasks ", "dim"), Cell(f"{_whole(used.pids)} of {limits.pids}"))),
        Fact(4, (
            Cell("scratch ", "dim"), Cell(f"{say.mebibytes(used.scratch_mb)} of {say.mebibytes(limits.scratch_mb)}"),
        )),
    ]  # fmt: skip
    if used.p95_ms is not None:
        took = f"{say.milliseconds(used.p50_ms)} {say.milliseconds(used.p95_ms)}"
        facts.insert(2, Fact(2, (Cell("p50 p95 ", "dim"), Cell(took))))
    if used.throttled_percent is not None:
        style = "warm" if used.throttled_percent >= 1 else ""
        facts.append(Fact(5, (Cell("throttled ", "dim"), Cell(say.percent(used.throttled_percent), style))))
    if used.oom_kills:
        facts.append(Fact(1, (Cell(say.plural(used.oom_kills, "OOM kill"), "bad"),)))
    return facts


def _rates(used: ResourceUsage) -> str:
    return f"↓{say.size(used.network_in_bytes_per_s)}/s ↑{say.size(used.network_out_bytes_per_s)}/s"


def _totals(used: ResourceUsage) -> str:
    return f" (↓{say.size(used.network_in_bytes)} ↑{say.size(used.network_out_bytes)} in all)"


def _calls(used: ResourceUsage) -> tuple[Cell, ...]:
    failed = Cell(f", {say.count(used.errors_per_min)} failed", "bad") if used.errors_per_min else Cell("")
    return Cell(say.count(used.executions_per_min)), failed


def _whole(value: int | None) -> str:
    return say.NOTHING if value is None else str(value)


def health_facts(row: Row, now: float) -> list[Cell]:
    """The last verdict of the prober, and what may still happen before it is given up."""
    if row.source is None:
        return []
    health, limits = row.source.health, row.source.limits
    verdict = {
        True: Cell(" ✔ healthy", "ok"),
        False: Cell(" ✖ not healthy", "bad"),
        None: Cell(" not asked yet" if row.status == "RUNNING" else " not asked while it does not run", "dim"),
    }[health.healthy]
    said = [verdict]
    if health.last_check is not None:
        said.append(Cell(f"last asked {say.coarse(max(now - health.last_check.timestamp(), 0))} ago", "dim"))
    failures = say.plural(health.consecutive_failures, "failed check")
    said.append(Cell(f"{failures} in a row", "bad" if health.consecutive_failures else "dim"))
    if health.restarts_left is not None:
        window = say.duration(limits.restart_window_seconds)
        words = f"{health.restarts_left} of {say.plural(limits.restarts, 'restart')} left in {window}"
        said.append(Cell(words, "dim" if health.restarts_left else "bad"))
    cells = said[:1]
    for one in said[1:]:
        cells += [_BETWEEN, one]
    return cells
