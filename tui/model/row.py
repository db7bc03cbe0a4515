"""One workspace as a row of the fleet."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from wsmgr.wire.workspace import Workspace

WARM, HOT = 0.70, 0.90
"""From these shares of a limit on a figure is marked."""

_DIGITS = re.compile(r"([0-9]+)")


@dataclass(frozen=True)
class Row:
    """What the fleet knows of one workspace. None where the daemon does not say.

    `cpu_percent`: 100 is one core; `cpu_limit_percent` in the same unit. Rates are bytes a second. `started_at`,
    `idle_since`, `pauses_at` and `stops_at` (when the idle ladder takes its rungs) are seconds since the epoch, so that
    an age needs no new row. `source`: everything that the daemon said.
    """

    id: str
    status: str
    desired: str = "RUNNING"
    reason: str = ""
    plan: str = ""
    isolation: str = "container"
    cpu_percent: float | None = None
    cpu_limit_percent: float | None = None
    memory_mb: float | None = None
    memory_limit_mb: float | None = None
    received_rate: float | None = None
    sent_rate: float | None = None
    executions_per_minute: float | None = None
    healthy: bool | None = None
    failures: int = 0
    restarts: int = 0
    started_at: int | None = None
    idle_since: int | None = None
    pauses_at: int | None = None
    stops_at: int | None = None
    unenforced: tuple[str, ...] = ()
    source: Workspace | None = field(default=None, compare=False, repr=False)

    @property
    def owner(self) -> str:
        """The owner's key."""
        return self.id.partition("~")[0]

    @property
    def memory_share(self) -> float | None:
        """Of its limit, 0 to 1."""
        if self.memory_mb is None or not self.memory_limit_mb:
            return None
        return self.memory_mb / self.memory_limit_mb

    @property
    def cpu_share(self) -> float | None:
        """Of its limit, 0 to 1."""
        if self.cpu_percent is None or not self.cpu_limit_percent:
            return None
        return self.cpu_percent / self.cpu_limit_percent

    @property
    def network_rate(self) -> float | None:
        """Both ways together."""
        if self.received_rate is None and self.sent_rate is None:
            return None
        return (self.received_rate or 0.0) + (self.sent_rate or 0.0)

    @property
    def next_rung(self) -> tuple[str, int] | None:
        """Which status the idle ladder gives it next, and when."""
        rungs = [("PAUSED", self.pauses_at), ("STOPPED", self.stops_at)]
        return min(((name, at) for name, at in rungs if at is not None), key=lambda rung: rung[1], default=None)

    @cached_property
    def searched(self) -> str:
        """What plain text in a filter looks through."""
        return f"{self.id} {self.status} {self.plan} {self.reason}".casefold()

    @cached_property
    def place(self) -> tuple[tuple[int, int | str], ...]:
        """Its place by id, where `user:9` comes before `user:10`; no two ids have the same."""
        return (*natural(self.id), (2, self.id))


def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """A key by which figures in a text count as figures."""
    return tuple((0, int(part)) if part.isdecimal() and part.isascii() else (1, part) for part in _DIGITS.split(text))


def heat(share: float | None) -> str:
    """`hot`, `warm` or nothing: how near a figure is to its limit."""
    if share is None or share < WARM:
        return ""
    return "hot" if share >= HOT else "warm"


def row_of(workspace: Workspace, received_at: float) -> Row:
    """The row of a workspace as the daemon sent it; `received_at`, in seconds since the epoch, stands in where the
    daemon does not say when it looked."""
    usage, health = workspace.resource_usage, workspace.health
    seen = workspace.observed_at.timestamp() if workspace.observed_at else received_at
    uptime, idle = health.uptime, workspace.idle_seconds
    pauses, stops = workspace.pauses_in_seconds, workspace.stops_in_seconds
    runs = workspace.status in {"RUNNING", "PAUSED"}
    return Row(
        id=workspace.id,
        status=workspace.status,
        desired=workspace.desired,
        reason=workspace.reason,
        plan=workspace.plan or "",
        isolation=workspace.isolation,
        cpu_percent=usage.cpu_percent if runs else None,
        cpu_limit_percent=workspace.limits.cpus * 100,
        memory_mb=usage.memory_mb if runs else None,
        memory_limit_mb=usage.memory_limit_mb or workspace.limits.memory_mb,
        received_rate=usage.network_in_bytes_per_s,
        sent_rate=usage.network_out_bytes_per_s,
        executions_per_minute=usage.executions_per_min,
        healthy=health.healthy,
        failures=health.consecutive_failures,
        restarts=workspace.restarts,
        started_at=None if uptime is None else round(seen - uptime),
        idle_since=None if idle is None else round(seen - idle),
        pauses_at=None if pauses is None else round(seen + pauses),
        stops_at=None if stops is None else round(seen + stops),
        unenforced=tuple(sorted(name for name, held in workspace.limits_enforced.items() if not held)) if runs else (),
        source=workspace,
    )
