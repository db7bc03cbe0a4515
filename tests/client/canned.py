"""Answers of a daemon, made of the wire models."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from wsmgr.wire.alert import Alert, AlertPage
from wsmgr.wire.capability import Capability, CapabilityPage
from wsmgr.wire.event import Event, EventPage
from wsmgr.wire.execute import Cancellation, ExecuteResponse, ExecutionError, ExecutionTicket, LogEntry
from wsmgr.wire.execution import Execution, ExecutionPage
from wsmgr.wire.fleet import FleetChanges, FleetHost, FleetSnapshot
from wsmgr.wire.health import EngineHealth, Health
from wsmgr.wire.host import Host
from wsmgr.wire.limits import Limits
from wsmgr.wire.names import Desired, ExecutionState, Level, Status
from wsmgr.wire.owner import Owner, OwnerPage
from wsmgr.wire.plan import Plan, PlanPage
from wsmgr.wire.plugin import PluginFile, PluginResult, PluginSource, PluginVersion, PluginVersionPage, PluginWarning
from wsmgr.wire.settings import PluginConfig, SecretInfo, SecretPage, SecretsRotated
from wsmgr.wire.usage import Gauge, OwnerUsage, Usage, UsagePoint
from wsmgr.wire.volume import Volume, VolumePage
from wsmgr.wire.workspace import LogPage, ResourceUsage, Workspace, WorkspaceHealth, WorkspacePage, WorkspacePlugin

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
VERSION = "ab" * 32
CONFIG = PluginConfig(config={"greeting": "hello"}, changed_at=AT, changed_by="uid:0")
SECRET = SecretInfo(name="API_KEY", set_at=AT, set_by="uid:0")
OLDER = "cd" * 32
LIMITS = Limits(
    memory_mb=128,
    cpus=0.25,
    max_concurrent_workspaces=1,
    idle_timeout_seconds=60,
    pause_after_seconds=15,
    pids=128,
    nofile=512,
    scratch_mb=64,
    data_mb=0,
    execution_timeout_ms=30_000,
    max_execution_timeout_ms=120_000,
    concurrent_executions=4,
    queue_length=256,
    async_queue_length=100,
    queue_timeout_ms=30_000,
    input_bytes=2**20,
    output_bytes=2**20,
    log_bytes=2**16,
    plugin_bytes=2**22,
    max_plugins=50,
    plugin_versions_kept=10,
    rate_per_second=5000.0,
    rate_burst=50_000,
    restarts=3,
    restart_window_seconds=300,
    owner_memory_mb=128,
    owner_cpus=0.25,
    owner_pids=128,
    owner_scratch_mb=64,
    owner_concurrent_executions=4,
    require_enforced_limits=False,
)


def workspace(
    workspace_id: str = "user:alice",
    status: Status = "RUNNING",
    desired: Desired = "RUNNING",
    reason: str = "Running.",
) -> Workspace:
    """One workspace with every member filled."""
    kind, _, name = workspace_id.partition("~")[0].partition(":")
    return Workspace(
        id=workspace_id,
        container_id="c0ffee",
        user_id=name if kind == "user" else None,
        organization_id=name if kind == "org" else None,
        status=status,
        created_at=AT,
        last_activity_at=AT,
        resource_usage=ResourceUsage(memory_mb=28.5, cpu_percent=1.5, network_in_bytes=0, network_out_bytes=0),
        plan="FREE",
        limits=LIMITS,
        isolation="container",
        limits_enforced={"memoryMb": True, "cpus": False},
        health=WorkspaceHealth(healthy=True, last_check=AT, uptime=12.5),
        restarts=1,
        desired=desired,
        reason=reason,
        image="localhost/wsmgr-node:latest",
        runtime="node 24",
        plugins=[WorkspacePlugin(slug="hello", version=VERSION, language="javascript")],
    )


def executed(
    output: object = None, *, failure: ExecutionError | None = None, cold: bool = False, degraded: bool = False
) -> ExecuteResponse:
    """How a call ended."""
    return ExecuteResponse(
        execution_id="e-1",
        success=failure is None,
        output=output,
        error=failure,
        logs=[LogEntry(t=1.5, level="info", message="a line \x1b[31mred")],
        duration_ms=2.5,
        queue_ms=0.0,
        start_ms=130.0 if cold else 0.0,
        cold_start=cold,
        isolation="worker" if degraded else "container",
        degraded=degraded,
        plugin_version=VERSION,
    )


LINE = LogEntry(t=1.5, level="info", message="a line \x1b[31mred")


def ticket(execution_id: str) -> ExecutionTicket:
    """A call that was queued."""
    return ExecutionTicket(
        execution_id=execution_id,
        state="queued",
        workspace="user:alice",
        plugin="hello",
        plugin_version=VERSION,
        created_at=AT,
    )


def cancelled(execution_id: str, state: ExecutionState = "cancelled") -> Cancellation:
    """An execution that was told to end."""
    return Cancellation(execution_id=execution_id, state=state)


def execution(execution_id: str, state: ExecutionState = "succeeded") -> Execution:
    """One record."""
    going_on = state in ("queued", "running")
    return Execution(
        id=execution_id,
        workspace="user:alice",
        plugin="hello",
        version=VERSION,
        state=state,
        isolation="container",
        degraded=False,
        cold_start=True,
        created_at=AT,
        queue_ms=0.0,
        start_ms=130.0,
        duration_ms=None if going_on else 2.5,
        success=None if going_on else state == "succeeded",
        output={"got": 1} if state == "succeeded" else None,
        error=ExecutionError(type="Exception", message="no") if state == "failed" else None,
    )


def version(slug: str = "hello", *, current: bool = True) -> PluginVersion:
    """A stored version."""
    return PluginVersion(
        slug=slug,
        version=VERSION if current else OLDER,
        language="javascript",
        size=2048,
        created_at=AT,
        created_by="uid:0",
        current=current,
    )


def plugin_source(number: str = VERSION) -> PluginSource:
    """A version with its files."""
    old = number == OLDER
    files = [
        PluginFile(path="index.js", text=f"const a = 1;\nmodule.exports = () => {'a' if old else 'b'};\n", base64=None),
        PluginFile(path="same.js", text="1", base64=None),
        PluginFile(path="blob.bin", text=None, base64="AAE=" if old else "AAI="),
        PluginFile(path="old.txt" if old else "new.txt", text="only here", base64=None),
    ]
    return PluginSource(
        slug="hello", version=number, language="javascript", bundled=True, entry="index.js", files=files
    )


def capability(name: str = "memory limit", level: Level = "absent", *, required: bool = False) -> Capability:
    """One line of the matrix."""
    mend = None if level == "enforced" else "Use cgroups v2."
    return Capability(name=name, level=level, evidence="memory.max reads max", mend=mend, required=required)


def alert(number: int, *, by: str | None = None) -> Alert:
    """An open one."""
    known_at = None if by is None else AT
    return Alert(
        id=number,
        cause="workspace.error:user:alice",
        severity="critical",
        sentence="It exited by itself with code 2.",
        workspace="user:alice",
        raised_at=AT,
        acknowledged_at=known_at,
        acknowledged_by=by,
    )


def event(number: int, workspace: str | None = "user:alice") -> Event:
    """A change of what is wanted."""
    return Event(
        id=number,
        at=AT,
        actor="uid:0",
        action="workspace.stopped",
        reason="Asked for.",
        workspace=workspace,
        before={"desired": "RUNNING"},
        after={"desired": "STOPPED"},
    )


def owner(key: str = "user:alice", plan: str | None = "PRO", **overrides: float | bool) -> Owner:
    """What was chosen for an owner."""
    return Owner(key=key, plan=plan, overrides=overrides, limits=LIMITS)


def plans() -> PlanPage:
    """Two plans."""
    items = [Plan(name="FREE", limits=LIMITS), Plan(name="PRO", limits=LIMITS.model_copy(update={"memory_mb": 512}))]
    return PlanPage(items=items, no_plan=LIMITS, source="/etc/wsmgr/plans.yaml")


def usage() -> Usage:
    """A minute, a hole, and a minute."""
    gauge = Gauge(min=1.0, avg=2.0, max=4.0)
    points = [
        UsagePoint(at=AT, gap_after=True, cpu_percent=gauge, memory_mb=gauge, executions=3, p50_ms=2.0, p95_ms=9.5),
        UsagePoint(at=AT + timedelta(minutes=5), memory_mb=gauge, restarts=1),
    ]
    return Usage(range="1h", step_s=60, from_=AT - timedelta(minutes=54), to=AT + timedelta(minutes=6), points=points)


def fleet_host(running: int = 1) -> FleetHost:
    """The host in a line."""
    return FleetHost(
        at=AT,
        daemon_version="0.1.0",
        cpu_percent=12.5,
        memory_used_mb=4000,
        memory_total_mb=24_000,
        memory_budget_mb=20_000,
        memory_held_mb=128 * running,
        disk_used_bytes=10 * 2**30,
        disk_total_bytes=40 * 2**30,
        load_average=[0.5, 0.4, 0.3],
        limits_not_enforced=["memory", "cpu"],
        open_alerts=1,
        workspaces=2,
        running=running,
        executions_per_min=30.0,
        errors_per_min=0.0,
    )


def fleet_snapshot() -> FleetSnapshot:
    """Two workspaces."""
    return FleetSnapshot(workspaces=[workspace("org:acme", "STOPPED", "STOPPED"), workspace()], host=fleet_host())


def volume(name: str = "v64-00", *, workspace: str | None = "user:alice", used_mb: float = 5.0) -> Volume:
    """A volume; that of somebody unless told otherwise."""
    return Volume(name=name, size_mb=74.0, cap_mb=64.0, used_mb=used_mb, workspace=workspace)


def fleet_changes() -> FleetChanges:
    """One row changed, one is gone."""
    return FleetChanges(workspaces=[workspace(reason="Restarted.")], gone=["org:acme"])


FIXED = {
    ("GET", "/health"): Health(
        status="healthy", version="0.1.0", uptime=5.0, engine=EngineHealth(isolation="container", available=True)
    ),
    ("GET", "/api/capabilities"): CapabilityPage(items=[capability("namespaces", "enforced"), capability()]),
    ("GET", "/api/host"): Host(
        hostname="h",
        kernel="6.1",
        cpus=2,
        memory_mb=24_000,
        memory_available_mb=20_000,
        engine="container",
        engine_version="podman 4.3.1",
        oci_runtime="runc version 1.1.5",
    ),
    ("GET", "/api/volumes"): VolumePage(items=[volume(), volume("v64-01", workspace=None, used_mb=0.0)]),
    ("GET", "/api/plans"): plans(),
    ("POST", "/api/plans/reload"): plans(),
    ("GET", "/api/owners"): OwnerPage(items=[owner("org:acme", "FREE"), owner()]),
    ("GET", "/api/workspaces"): WorkspacePage(
        items=[workspace(), workspace("org:acme~reports", "STOPPED", "STOPPED", "Stopped; the next call starts it.")]
    ),
    ("GET", "/api/owners/user:alice"): owner(),
    ("GET", "/api/workspaces/user:alice/executions"): ExecutionPage(
        items=[execution("e-2", "failed"), execution("e-1"), execution("e-0", "running")], next=None
    ),
    ("GET", "/api/alerts"): AlertPage(items=[alert(8), alert(7)]),
    ("POST", "/api/alerts/7/ack"): alert(7, by="uid:0"),
    ("GET", "/api/audit"): EventPage(items=[event(2), event(1)]),
    ("GET", "/api/workspaces/user:alice/events"): EventPage(
        items=[Event(id=1, at=AT, actor="uid:0", action="start", reason="asked", workspace="user:alice")]
    ),
    ("GET", "/api/workspaces/user:alice/health"): WorkspaceHealth(healthy=True, last_check=AT),
    ("GET", "/api/workspaces/user:alice/usage"): usage(),
    ("GET", "/api/owners/user:alice/usage"): OwnerUsage(key="user:alice", since=AT, cpu_seconds=12.5, executions=3),
    ("GET", "/api/workspaces/user:alice/logs"): LogPage(items=["ready", "a line \x1b[31mred"]),
    ("GET", "/api/workspaces/user:alice/plugins"): PluginVersionPage(items=[version()]),
    ("GET", "/api/workspaces/user:alice/plugins/hello"): PluginVersionPage(items=[version(), version(current=False)]),
    ("POST", "/api/workspaces/user:alice/plugins/hello/rollback"): PluginResult(
        slug="hello", version=VERSION, reloaded=True
    ),
    ("GET", "/api/workspaces/user:alice/plugins/hello/config"): CONFIG,
    ("PUT", "/api/workspaces/user:alice/plugins/hello/config"): CONFIG,
    ("GET", "/api/workspaces/user:alice/plugins/hello/secrets"): SecretPage(items=[SECRET]),
    ("PUT", "/api/workspaces/user:alice/plugins/hello/secrets/API_KEY"): SECRET,
    ("POST", "/api/admin/secrets/rotate"): SecretsRotated(resealed=3),
    ("GET", f"/api/workspaces/user:alice/plugins/hello/versions/{VERSION}"): plugin_source(),
    ("GET", f"/api/workspaces/user:alice/plugins/hello/versions/{OLDER}"): plugin_source(OLDER),
    ("PUT", "/api/workspaces/user:alice/plugins/hello"): PluginResult(
        slug="hello",
        version=VERSION,
        reloaded=True,
        warnings=[PluginWarning(message="eval is used", line=3, column=7)],
    ),
}
"""What is answered to a method and a path, whatever the query and the body."""
