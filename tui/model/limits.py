"""The limits of one workspace: what it may use, what it uses, who holds it to that, and with what proof."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tui.model import format as say
from tui.model.cell import Cell, level_cell
from tui.model.lists import ListColumn, Listed
from wsmgr.wire.base import Response
from wsmgr.wire.capability import Capability
from wsmgr.wire.limits import Limits
from wsmgr.wire.workspace import ResourceUsage, Workspace

DAEMON = "wsmgr"


class LimitLine(Response):
    """`held`: how far this host enforces it, or `wsmgr` where the daemon or the runtime does it by itself."""

    limit: str
    allowed: str
    used: str
    held: str
    proof: str
    mend: str = ""


Used = Callable[[ResourceUsage], str]


@dataclass(frozen=True, slots=True)
class _Kind:
    """`tried`: the line of the capability matrix that tells of it; empty: the daemon holds it, as `how` says."""

    name: str
    allowed: Callable[[Limits], str]
    tried: str = ""
    how: str = ""
    used: Used = lambda _: ""


def _milliseconds(count: int) -> str:
    return f"{count / 1000:g} s"


_KINDS: tuple[_Kind, ...] = (
    _Kind("memory", lambda one: say.mebibytes(one.memory_mb), "memory", used=lambda now: say.mebibytes(now.memory_mb)),
    _Kind(
        "CPU",
        lambda one: f"{one.cpus:g} of a core",
        "cpu",
        used=lambda now: "" if now.cpu_percent is None else f"{now.cpu_percent / 100:.2f}",
    ),
    _Kind(
        "tasks", lambda one: str(one.pids), "pids", used=lambda now: say.NOTHING if now.pids is None else f"{now.pids}"
    ),
    _Kind(
        "scratch", lambda one: say.mebibytes(one.scratch_mb), "scratch", used=lambda now: say.mebibytes(now.scratch_mb)
    ),
    _Kind("lasting data", lambda one: say.mebibytes(one.data_mb) if one.data_mb else "none", "data"),
    _Kind("open files", lambda one: str(one.nofile), "nofile"),
    _Kind(
        "execution", lambda one: _milliseconds(one.execution_timeout_ms),
        how="The runtime ends a call that takes longer; the daemon ends a runtime that does not.",
    ),
    _Kind(
        "calls at once", lambda one: str(one.concurrent_executions),
        how="More calls wait in line.",
    ),
    _Kind(
        "waiting calls", lambda one: f"{one.queue_length}, {_milliseconds(one.queue_timeout_ms)}",
        how="More are refused with 429; so are those that wait longer.",
    ),
    _Kind("call rate", lambda one: f"{one.rate_per_second:g}/s", how="Above it, and the burst, calls get 429."),
    _Kind("input", lambda one: say.size(one.input_bytes), how="A larger one is refused with 413."),
    _Kind("output", lambda one: say.size(one.output_bytes), how="A larger one is an error of the execution."),
    _Kind("logs of a call", lambda one: say.size(one.log_bytes), how="The rest is cut, and marked as cut."),
    _Kind("plugin", lambda one: f"{say.size(one.plugin_bytes)}, {one.max_plugins}", how="Refused when it is put."),
    _Kind(
        "restarts", lambda one: f"{one.restarts} in {say.duration(one.restart_window_seconds)}",
        how="With one more it is given up: status ERROR, and an alert.",
    ),
    _Kind("idle", lambda one: say.duration(one.idle_timeout_seconds), how="Then it is stopped; a call starts it."),
    _Kind(
        "workspaces", lambda one: str(one.max_concurrent_workspaces),
        how="So many of the owner's hold memory at once; one more is refused.",
    ),
)  # fmt: skip


def limit_lines(workspace: Workspace, matrix: Iterable[Capability]) -> list[LimitLine]:
    """One for each limit, those that the host has to enforce first."""
    own = {one.name: one for one in matrix if one.isolation in {None, workspace.isolation}}
    return [_line(kind, workspace, own.get(kind.tried)) for kind in _KINDS]


def _line(kind: _Kind, workspace: Workspace, tried: Capability | None) -> LimitLine:
    if not kind.tried:
        held, proof, mend = DAEMON, kind.how, ""
    elif tried is None:
        held, proof, mend = "not tried", "The host has no line about it: the engine is told, and nobody looked.", ""
    else:
        held, proof, mend = tried.level, tried.evidence, tried.mend or ""
    used = kind.used(workspace.resource_usage)
    return LimitLine(
        limit=kind.name, allowed=kind.allowed(workspace.limits), used=used, held=held, proof=proof, mend=mend
    )


def _held_cell(held: str) -> Cell:
    return Cell(f"✔ {DAEMON}", "ok") if held == DAEMON else level_cell(held)


LIMITS: Listed[LimitLine] = Listed(
    columns=(
        ListColumn("LIMIT", 14, lambda one, _: Cell(one.limit, "id")),
        ListColumn("ALLOWED", 13, lambda one, _: Cell(one.allowed), right=True),
        ListColumn("USED", 6, lambda one, _: Cell(one.used), right=True),
        ListColumn("ENFORCED", 13, lambda one, _: _held_cell(one.held)),
        ListColumn("HOW IT IS KNOWN", 16, lambda one, _: Cell(say.printable(one.proof), "dim"), grows=True),
        ListColumn("MEND", 16, lambda one, _: Cell(say.printable(one.mend), "warm"), rank=1, grows=True),
    ),
    key=lambda one: one.limit,
    empty="Its limits are not known yet.",
    fields={"enforced": lambda one: one.held},
)
