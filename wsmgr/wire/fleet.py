"""The live view of all workspaces: the events of `GET /api/fleet/stream`.

The stream begins with `caller`, who the daemon takes its reader for, and one `snapshot`. Then `changes` come, at most
one a second, each with the newest state of what changed since the event before: a reader that is slow gets fewer and
larger ones, never a backlog. Besides, a comment line comes each second, so silence of some seconds means that the
daemon hangs. There are no ids and nothing is resumed: a new connection begins with a snapshot.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from wsmgr.wire.base import Response
from wsmgr.wire.workspace import Workspace


class FleetHost(Response):
    """The host and the daemon in a line. `cpuPercent` is over all cores (100: all are busy); memory in MiB.
    `memoryBudgetMb` is what workspaces may be promised, `memoryHeldMb` what those that run were promised. `engineAway`
    says why the engine of the chosen isolation does no work, null when it does. `limitsNotEnforced` are the names
    of limits that this host was seen not to enforce (memory, cpu, pids …). Null: not measured."""

    at: AwareDatetime
    daemon_version: str
    cpu_percent: float | None = None
    memory_used_mb: int
    memory_total_mb: int
    memory_budget_mb: int | None = None
    memory_held_mb: int
    disk_used_bytes: int | None = None
    disk_total_bytes: int | None = None
    load_average: list[float] = Field(default_factory=list)
    engine_away: str | None = None
    limits_not_enforced: list[str] = Field(default_factory=list)
    open_alerts: int = 0
    workspaces: int
    running: int
    executions_per_min: float | None = None
    errors_per_min: float | None = None


class FleetSnapshot(Response):
    """All workspaces, by id. A row is encoded when something else than the passing of time has changed; its
    `observedAt` says when, and `idleSeconds`, `stopsInSeconds` and `health.uptime` go on from there."""

    workspaces: list[Workspace]
    host: FleetHost


class FleetChanges(Response):
    """What is new since the event before: rows that changed or came, whole, and the ids of those that are gone. `host`
    is there when it changed."""

    workspaces: list[Workspace] = Field(default_factory=list)
    gone: list[str] = Field(default_factory=list)
    host: FleetHost | None = None


class FleetCaller(Response):
    """Who reads, and what the daemon lets them do: `admin` everything, `viewer` look."""

    actor: str
    role: Literal["admin", "service", "viewer"]


class FleetPulse(Response):
    """What the client makes of the comment line: the daemon lives, and what is known is up to date."""


FleetUpdate = FleetCaller | FleetSnapshot | FleetChanges | FleetPulse
