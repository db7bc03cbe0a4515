"""Workspaces, as the platform and the operators see them."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from wsmgr.wire.base import Request, Response
from wsmgr.wire.limits import Limits
from wsmgr.wire.names import Desired, Isolation, Status
from wsmgr.wire.page import Page


class ResourceUsage(Response):
    """What it uses now, by the last sweep; null where it was not measured: it does not run, this host cannot say, there
    is no limit to compare with, or (rates) the daemon has just taken it over.

    `cpuPercent`: 100 is one core. `cpuOfLimitPercent`: 100 is all that the plan allows. `memoryMb`: the working set in
    MiB. `networkInBytes`, `networkOutBytes`, `oomKills`: totals over its restarts, also those of the daemon; they begin
    anew when it has not run for longer than usage is kept. `throttledPercent`: for how much of the time its CPU limit
    made it wait. `executionsPerMin`, `errorsPerMin`, `p50Ms`, `p95Ms`: over the last minute."""

    memory_mb: float | None = None
    cpu_percent: float | None = None
    network_in_bytes: int | None = None
    network_out_bytes: int | None = None
    memory_limit_mb: float | None = None
    cpu_of_limit_percent: float | None = None
    network_in_bytes_per_s: float | None = None
    network_out_bytes_per_s: float | None = None
    pids: int | None = None
    throttled_percent: float | None = None
    scratch_mb: float | None = None
    oom_kills: int | None = None
    executions_per_min: float | None = None
    errors_per_min: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None


class WorkspaceHealth(Response):
    """The last verdict of the prober. `healthy` null: not asked yet, or not running. `uptime` in seconds.
    `restartsLeft`: how often it may still fail within the window before it is given up."""

    healthy: bool | None = None
    last_check: AwareDatetime | None = None
    consecutive_failures: int = 0
    uptime: float | None = None
    restarts_left: int | None = None


class WorkspaceData(Response):
    """Its persistent `/data`. `reason` says how it is, also why there is none (`available` false). `sizeMb`: what its
    files can take; `usedMb`: what they take."""

    available: bool
    reason: str
    volume: str | None = None
    size_mb: float | None = None
    used_mb: float | None = None


class WorkspacePlugin(Response):
    """The current version of a plugin of the workspace's owner."""

    slug: str
    version: str
    language: str


class Workspace(Response):
    """One workspace. `port` is null on the unix transport; `limitsEnforced` says of each limit
    whether it was seen to hold on this host. `idleSeconds` is since its last activity that this daemon saw, or since it
    took the workspace over; `pausesInSeconds` and `stopsInSeconds` say when the next rungs of the idle ladder come, and
    are null where they do not: while a call is in flight, say, or where the host cannot freeze. `observedAt` is when
    all this was read."""

    id: str
    container_id: str | None = None
    user_id: str | None = None
    organization_id: str | None = None
    port: int | None = None
    status: Status
    created_at: AwareDatetime
    last_activity_at: AwareDatetime
    resource_usage: ResourceUsage
    plan: str | None = None
    limits: Limits
    isolation: Isolation
    limits_enforced: dict[str, bool]
    health: WorkspaceHealth
    restarts: int
    desired: Desired
    reason: str
    image: str | None = None
    runtime: str | None = None
    plugins: list[WorkspacePlugin]
    idle_seconds: float | None = None
    pauses_in_seconds: float | None = None
    stops_in_seconds: float | None = None
    observed_at: AwareDatetime | None = None
    data: WorkspaceData | None = None


class WorkspacePage(Page[Workspace]):
    """Workspaces, by id."""


class PutWorkspace(Request):
    """Create a workspace, or set what is wanted of it."""

    desired: Literal["RUNNING", "PAUSED", "STOPPED"]


class LogPage(Page[str]):
    """The last lines that the runtime wrote, oldest first."""
