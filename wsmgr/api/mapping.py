"""Core values to wire models."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from wsmgr.api.execute import error_of
from wsmgr.control.daemon import Daemon
from wsmgr.control.data import Holding
from wsmgr.control.entry import Entry
from wsmgr.control.validation import as_details
from wsmgr.core.alert import Alert
from wsmgr.core.bundle import Bundle, BundleFile
from wsmgr.core.capability import Capability
from wsmgr.core.event import Event
from wsmgr.core.execution import Execution
from wsmgr.core.ids import WorkspaceId, user_and_organization
from wsmgr.core.isolation import Isolation
from wsmgr.core.limit_table import named_limits
from wsmgr.core.limits import MIB, Limits, Plan
from wsmgr.core.owner import Owner
from wsmgr.core.plans import PlanBook
from wsmgr.core.plugin import Language, PluginSource, PluginVersion
from wsmgr.core.policy import Finding
from wsmgr.core.volume import Volume
from wsmgr.core.workspace import Created, Exited, Running
from wsmgr.wire import alert as wire_alert
from wsmgr.wire import capability as wire_capability
from wsmgr.wire import event as wire_event
from wsmgr.wire import execution as wire_execution
from wsmgr.wire import limits as wire_limits
from wsmgr.wire import owner as wire_owner
from wsmgr.wire import plan as wire_plan
from wsmgr.wire import plugin as wire_plugin
from wsmgr.wire import volume as wire_volume
from wsmgr.wire import workspace as wire_workspace
from wsmgr.wire.execute import ExecutionError, LogEntry

_SINGLE = {Language.JAVASCRIPT: "index.js", Language.PYTHON: "main.py"}


def workspace(daemon: Daemon, entry: Entry, plugins: Sequence[PluginVersion]) -> wire_workspace.Workspace:
    """One workspace with what its serving unit is known to be."""
    unit, ladder = entry.serving, daemon.idle.verdict(entry)
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
        plan=entry.owner.plan and entry.plan.name,
        limits=limits(entry.limits),
        isolation=unit.isolation.value,
        limits_enforced=daemon.capabilities.enforced_on(unit) | daemon.data.enforced(entry),
        health=health(daemon, entry, healthy=unit.healthy, uptime=uptime),
        restarts=unit.restarts,
        desired=entry.record.desired.value,
        reason=unit.reason,
        image=daemon.images[entry.runtime] if unit.isolation is Isolation.CONTAINER else None,
        runtime=entry.runtime.value,
        plugins=[
            wire_workspace.WorkspacePlugin(slug=p.slug, version=p.version, language=p.language.value) for p in plugins
        ],
        idle_seconds=round(daemon.idle.idle_s(entry), 3),
        pauses_in_seconds=_rounded(ladder.pause_in_s),
        stops_in_seconds=_rounded(ladder.stop_in_s),
        observed_at=daemon.clock.now(),
        data=data(entry, daemon.data.of(entry)),
    )


def data(entry: Entry, value: Holding) -> wire_workspace.WorkspaceData:
    """What a workspace has of persistent data."""
    volume = value.volume
    return wire_workspace.WorkspaceData(
        available=volume is not None,
        reason=value.sentence,
        volume=entry.record.volume,
        size_mb=None if volume is None else round(volume.cap_bytes / MIB, 1),
        used_mb=None if volume is None else round(volume.used_bytes / MIB, 1),
    )


def volume(value: Volume, holder: WorkspaceId | None) -> wire_volume.Volume:
    """One volume; `holder` is the workspace that has it."""
    marked = None if value.mark is None else value.mark.workspace
    return wire_volume.Volume(
        name=value.name,
        size_mb=round(value.size_bytes / MIB, 1),
        cap_mb=round(value.cap_bytes / MIB, 1),
        used_mb=round(value.used_bytes / MIB, 1),
        workspace=holder or marked,
        orphan=holder is None and marked is not None,
        trouble=value.trouble,
    )


def health(
    daemon: Daemon, entry: Entry, *, healthy: bool | None, uptime: float | None, checked: datetime | None = None
) -> wire_workspace.WorkspaceHealth:
    """The prober's record of the serving unit, and what was seen of it now. `uptime` in seconds."""
    unit = entry.serving
    return wire_workspace.WorkspaceHealth(
        healthy=healthy,
        last_check=checked or unit.last_check,
        consecutive_failures=unit.check_failures,
        uptime=uptime,
        restarts_left=daemon.reconciler.restarts_left(entry),
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def limits(value: Limits) -> wire_limits.Limits:
    """Limits with the names and units of the wire. The owner's are what they come to."""
    totals = {
        "ownerMemoryMb": value.total_memory_mb,
        "ownerCpus": value.total_cpus,
        "ownerPids": value.total_pids,
        "ownerScratchMb": value.total_scratch_mb,
        "ownerConcurrentExecutions": value.total_executions,
    }
    return wire_limits.Limits.model_validate({**named_limits(value), **totals})


def plan(value: Plan) -> wire_plan.Plan:
    """A plan."""
    return wire_plan.Plan(name=value.name, limits=limits(value.limits))


def plans(value: PlanBook) -> wire_plan.PlanPage:
    """All plans."""
    items = [plan(one) for one in value.plans.values()]
    return wire_plan.PlanPage(items=items, no_plan=limits(value.no_plan.limits), source=value.source)


def owner(daemon: Daemon, value: Owner) -> wire_owner.Owner:
    """An owner's choices, and what they come to."""
    return wire_owner.Owner(
        key=value.key,
        # An unknown plan is FREE, and the answer says so: a misspelt name is seen at once.
        plan=value.plan and daemon.plans.book.named(value.plan).name,
        isolation=value.isolation.value if value.isolation else None,
        fallback=value.fallback,
        overrides=dict(value.overrides),
        limits=limits(daemon.owners.limits(value)),
    )


def finding(value: Finding) -> wire_plugin.PluginWarning:
    """What validation said of a version."""
    return wire_plugin.PluginWarning.model_validate(as_details(value))


def plugin_source(value: PluginSource) -> wire_plugin.PluginSource:
    """A version with its files; what is not UTF-8 is in base64."""
    bundle = value.bundle or Bundle(
        _SINGLE[value.language], (BundleFile(_SINGLE[value.language], value.code.encode()),)
    )
    files = [_file(file) for file in bundle.files]
    return wire_plugin.PluginSource(
        slug=value.slug,
        version=value.version,
        language=value.language.value,
        bundled=value.bundle is not None,
        entry=bundle.entry,
        files=files,
    )


def _file(file: BundleFile) -> wire_plugin.PluginFile:
    try:
        return wire_plugin.PluginFile(path=file.path, text=file.data.decode(), base64=None)
    except UnicodeDecodeError:
        return wire_plugin.PluginFile(path=file.path, text=None, base64=b64encode(file.data).decode())


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
        input=value.input,
        input_kept=value.input_kept,
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
        language=value.language.value,
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
