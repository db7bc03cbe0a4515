"""The mappers between rows and the dataclasses of core."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Row

from wsmgr.adapters.store.documents import json_text, json_value, plain_text
from wsmgr.core.alert import Alert, Severity, Trouble
from wsmgr.core.event import Event, Facts
from wsmgr.core.execution import Execution, ExecutionState
from wsmgr.core.ids import ExecutionId, OwnerKey, Slug, Version, WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.limit_table import LimitValue
from wsmgr.core.outcome import Failure, FailureType, LogEntry, Outcome
from wsmgr.core.owner import Owner
from wsmgr.core.plugin import Language, PluginSource, PluginVersion
from wsmgr.core.workspace import Desired, Workspace
from wsmgr.ports.store import Token


def owner_from(row: Row[Any]) -> Owner:
    """From a row of `owners`."""
    isolation = None if row.isolation is None else Isolation(row.isolation)
    overrides = cast("dict[str, LimitValue]", json_value(row.overrides) or {})
    return Owner(OwnerKey(row.key), row.plan, isolation, row.fallback, overrides)


def owner_values(owner: Owner) -> dict[str, object]:
    """For `owners`."""
    return {
        "key": owner.key,
        "plan": owner.plan,
        "isolation": None if owner.isolation is None else owner.isolation.value,
        "fallback": owner.fallback,
        "overrides": json_text(dict(owner.overrides)) if owner.overrides else None,
    }


def workspace_from(row: Row[Any]) -> Workspace:
    """From a row of `workspaces` joined with its slot."""
    return Workspace(
        id=WorkspaceId(row.id),
        owner=OwnerKey(row.owner),
        desired=Desired(row.desired),
        slot=row.slot,
        generation=row.generation,
        created_at=row.created_at,
        last_activity_at=row.last_activity_at,
        failure=row.failure,
        volume=row.volume,
    )


def version_from(row: Row[Any]) -> PluginVersion:
    """From a row of `plugin_versions` with the column `current_version` of its plugin."""
    return PluginVersion(
        owner=OwnerKey(row.owner),
        slug=Slug(row.slug),
        version=Version(row.version),
        language=Language(row.language),
        size=row.size,
        created_at=row.created_at,
        created_by=row.created_by,
        current=row.version == row.current_version,
    )


def source_from(row: Row[Any]) -> PluginSource:
    """From a row of `plugin_versions` with its code."""
    return PluginSource(Slug(row.slug), Version(row.version), Language(row.language), bytes(row.code).decode())


def execution_from(row: Row[Any]) -> Execution:
    """From a row of `executions`."""
    return Execution(
        id=ExecutionId(row.id),
        workspace=WorkspaceId(row.workspace),
        plugin=Slug(row.plugin),
        version=Version(row.version),
        state=ExecutionState(row.state),
        isolation=Isolation(row.isolation),
        degraded=row.degraded,
        cold_start=row.cold_start,
        created_at=row.created_at,
        queue_ms=row.queue_ms,
        start_ms=row.start_ms,
        fingerprint=row.fingerprint,
        outcome=None if row.duration_ms is None else _outcome_from(row),
    )


def execution_values(execution: Execution) -> dict[str, object]:
    """For `executions`. Raises TypeError, ValueError or RecursionError when the output is not JSON."""
    outcome = execution.outcome
    failure = None if outcome is None else outcome.failure
    return {
        "id": execution.id,
        "workspace": execution.workspace,
        "plugin": execution.plugin,
        "version": execution.version,
        "state": execution.state.value,
        "isolation": execution.isolation.value,
        "degraded": execution.degraded,
        "cold_start": execution.cold_start,
        "created_at": execution.created_at,
        "queue_ms": execution.queue_ms,
        "start_ms": execution.start_ms,
        "fingerprint": execution.fingerprint,
        "duration_ms": None if outcome is None else outcome.duration_ms,
        "logs_truncated": outcome is not None and outcome.logs_truncated,
        "failure": None if failure is None else json_text(_failure_document(failure)),
        "logs": _logs_text(outcome),
        "output": None if outcome is None else json_text(outcome.output),
    }


def event_from(row: Row[Any]) -> Event:
    """From a row of `events`."""
    workspace = None if row.workspace is None else WorkspaceId(row.workspace)
    before, after = (cast("Facts | None", json_value(text)) for text in (row.before, row.after))
    return Event(row.at, row.actor, row.action, row.reason, workspace, row.id, before, after)


def event_values(event: Event) -> dict[str, object]:
    """For `events`, which gives the id. The reason may quote what a workspace wrote."""
    return {
        "at": event.at,
        "actor": plain_text(event.actor),
        "action": plain_text(event.action),
        "reason": plain_text(event.reason),
        "workspace": event.workspace,
        "before": None if event.before is None else json_text(dict(event.before)),
        "after": None if event.after is None else json_text(dict(event.after)),
    }


def alert_from(row: Row[Any]) -> Alert:
    """From a row of `alerts`."""
    return Alert(
        id=row.id,
        cause=row.cause,
        severity=Severity(row.severity),
        sentence=row.sentence,
        workspace=None if row.workspace is None else WorkspaceId(row.workspace),
        raised_at=row.raised_at,
        resolved_at=row.resolved_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
    )


def trouble_values(trouble: Trouble) -> dict[str, object]:
    """For `alerts`. The sentence may quote what a workspace wrote."""
    return {
        "cause": trouble.cause,
        "severity": trouble.severity.value,
        "sentence": plain_text(trouble.sentence),
        "workspace": trouble.workspace,
    }


def token_from(row: Row[Any]) -> Token:
    """From a row of `tokens`."""
    return Token(row.name, row.role, row.created_at)


def _failure_document(failure: Failure) -> dict[str, str | None]:
    return {
        "type": failure.type.value,
        "message": failure.message,
        "stack": failure.stack,
        "name": failure.name,
    }


def _logs_text(outcome: Outcome | None) -> str | None:
    if outcome is None or not outcome.logs:
        return None
    return json_text([[entry.t, entry.level, entry.message] for entry in outcome.logs])


def _outcome_from(row: Row[Any]) -> Outcome:
    failure = cast("dict[str, Any] | None", json_value(row.failure))
    logs = cast("list[tuple[float, str, str]]", json_value(row.logs) or [])
    return Outcome(
        output=json_value(row.output),
        failure=None
        if failure is None
        else Failure(FailureType(failure["type"]), failure["message"], failure["stack"], failure["name"]),
        logs=tuple(LogEntry(t, level, message) for t, level, message in logs),
        logs_truncated=row.logs_truncated,
        duration_ms=row.duration_ms,
    )
