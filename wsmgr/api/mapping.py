"""Core values to wire models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from wsmgr.api.execute import error_of
from wsmgr.control.daemon import Daemon
from wsmgr.control.fleet import Entry
from wsmgr.core.alert import Alert
from wsmgr.core.capability import Capability
from wsmgr.core.event import Event
from wsmgr.core.execution import Execution
from wsmgr.core.ids import user_and_organization
from wsmgr.core.isolation import Isolation
from wsmgr.core.limits import Limits, Plan
from wsmgr.core.owner import Owner
from wsmgr.core.plugin import PluginVersion
from wsmgr.core.workspace import Created, Desired, Exited, Running
from wsmgr.wire import alert as wire_alert
from wsmgr.wire import capability as wire_capability
from wsmgr.wire import event as wire_event
from wsmgr.wire import execution as wire_execution
from wsmgr.wire import owner as wire_owner
from wsmgr.wire import plan as wire_plan
from wsmgr.wire import plugin as wire_plugin
from wsmgr.wire import workspace as wire_workspace
from wsmgr.wire.execute import ExecutionError, LogEntry


def workspace(daemon: Daemon, entry: Entry, plugins: Sequence[PluginVersion]) -> wire_workspace.Workspace:
    """One workspace with what its serving unit is known to be."""
    unit = entry.serving
    user, organization = user_and_organization(entry.record.owner)
    observed = unit.observed
    handle = observed.handle if isinstance(observed, Created | Running | Exited) else None
    uptime = (daemon.clock.now() - unit.ready_since).total_seconds() if unit.ready_since else None
    return wire_workspace.Workspace(
        id=entry.record.id,
        container_id=handle,
        user_id=user,
        organization_id=organization,
        port=None,
        status=unit.phase.value,
        created_at=entry.record.created_at,
        last_activity_at=entry.active_at,
        resource_usage=wire_workspace.ResourceUsage(**asdict(daemon.usage.current(entry.record.id))),
        plan=entry.owner.plan,
        limits=limits(entry.limits),
        isolation=unit.isolation.value,
        limits_enforced=daemon.capabilities.enforced(unit.isolation),
        health=wire_workspace.WorkspaceHealth(
            healthy=unit.healthy,
            last_check=unit.last_check,
            consecutive_failures=unit.check_failures,
            uptime=uptime,
        ),
        restarts=unit.restarts,
        desired=entry.record.desired.value,
        reason=unit.reason,
        image=daemon.image if unit.isolation is Isolation.CONTAINER else None,
        runtime="node",
        plugins=[
            wire_workspace.WorkspacePlugin(slug=p.slug, version=p.version, language=p.language.value) for p in plugins
        ],
        idle_seconds=round(daemon.idle.idle_s(entry), 3),
        stops_in_seconds=_stops_in(daemon, entry),
        observed_at=daemon.clock.now(),
    )


def _stops_in(daemon: Daemon, entry: Entry) -> float | None:
    left = daemon.idle.verdict(entry).next_s if entry.record.desired is Desired.RUNNING else None
    return None if left is None else round(left, 3)


def limits(value: Limits) -> wire_plan.Limits:
    """Limits with the units of the wire."""
    return wire_plan.Limits(
        memory_mb=value.memory_mb,
        cpus=value.cpus,
        pids=value.pids,
        nofile=value.nofile,
        scratch_mb=value.scratch_mb,
        idle_timeout_seconds=value.idle_timeout_s,
        max_concurrent_workspaces=value.max_workspaces,
        execution_timeout_ms=round(value.execution_timeout_s * 1000),
        max_execution_timeout_ms=round(value.max_execution_timeout_s * 1000),
        concurrent_executions=value.concurrent_executions,
        queue_length=value.queue_length,
        queue_timeout_ms=round(value.queue_timeout_s * 1000),
        input_bytes=value.input_bytes,
        output_bytes=value.output_bytes,
        log_bytes=value.log_bytes,
        plugin_bytes=value.plugin_bytes,
        require_enforced_limits=value.require_enforced,
    )


def plan(value: Plan) -> wire_plan.Plan:
    """A plan."""
    return wire_plan.Plan(name=value.name, limits=limits(value.limits))


def owner(value: Owner) -> wire_owner.Owner:
    """An owner's choices."""
    return wire_owner.Owner(
        key=value.key,
        plan=value.plan,
        isolation=value.isolation.value if value.isolation else None,
        fallback=value.fallback,
    )


def execution(value: Execution) -> wire_execution.Execution:
    """A record."""
    outcome = value.outcome
    error = error_of(outcome) if outcome else None
    return wire_execution.Execution(
        id=value.id,
        workspace=value.workspace,
        plugin=value.plugin,
        version=value.version,
        state=value.state.value,
        isolation=value.isolation.value,
        degraded=value.degraded,
        cold_start=value.cold_start,
        created_at=value.created_at,
        queue_ms=value.queue_ms,
        start_ms=value.start_ms,
        duration_ms=outcome.duration_ms if outcome else None,
        success=outcome.failure is None if outcome else None,
        output=outcome.output if outcome and outcome.failure is None else None,
        error=ExecutionError(**error) if error else None,
        logs=[LogEntry(t=e.t, level=e.level, message=e.message) for e in outcome.logs] if outcome else [],
        logs_truncated=outcome.logs_truncated if outcome else False,
    )


def plugin_version(value: PluginVersion) -> wire_plugin.PluginVersion:
    """A stored version."""
    return wire_plugin.PluginVersion(
        slug=value.slug,
        version=value.version,
        language=value.language.value,  # type: ignore[arg-type]  # only what can run is ever stored
        size=value.size,
        created_at=value.created_at,
        created_by=value.created_by,
        current=value.current,
    )


def event(value: Event) -> wire_event.Event:
    """One line of the audit trail."""
    return wire_event.Event(
        id=value.id,
        at=value.at,
        actor=value.actor,
        action=value.action,
        reason=value.reason,
        workspace=value.workspace,
        before=None if value.before is None else dict(value.before),
        after=None if value.after is None else dict(value.after),
    )


def alert(value: Alert) -> wire_alert.Alert:
    """One alert."""
    return wire_alert.Alert(
        id=value.id,
        cause=value.cause,
        severity=value.severity.value,
        sentence=value.sentence,
        workspace=value.workspace,
        raised_at=value.raised_at,
        resolved_at=value.resolved_at,
        acknowledged_at=value.acknowledged_at,
        acknowledged_by=value.acknowledged_by,
    )


def capability(isolation: Isolation, value: Capability, *, required: bool) -> wire_capability.Capability:
    """One line of the capability matrix."""
    return wire_capability.Capability(
        isolation=isolation.value,
        name=value.name,
        level=value.level.value,
        evidence=value.evidence,
        mend=value.mend,
        required=required,
    )
