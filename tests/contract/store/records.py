"""Records to keep, with everything that a test does not care about filled in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from wsmgr.core.event import Event
from wsmgr.core.execution import Execution, ExecutionState
from wsmgr.core.ids import ExecutionId, OwnerKey, Slug, Version, WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.outcome import LogEntry, Outcome
from wsmgr.core.plugin import Language, PluginSource, version_of

NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
ALICE = OwnerKey("user:alice")
HOME = WorkspaceId("user:alice")


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def outcome(output: object = 42, *, logs: tuple[LogEntry, ...] = ()) -> Outcome:
    """A success."""
    return Outcome(output, None, logs, logs_truncated=False, duration_ms=12.5)


def execution(
    name: str,
    *,
    workspace: WorkspaceId = HOME,
    state: ExecutionState = ExecutionState.RUNNING,
    seconds: float = 0,
    ended: Outcome | None = None,
) -> Execution:
    """A record, by default of a call that runs."""
    return Execution(
        id=ExecutionId(name),
        workspace=workspace,
        plugin=Slug("markdown"),
        version=Version("a" * 64),
        state=state,
        isolation=Isolation.CONTAINER,
        degraded=False,
        cold_start=True,
        created_at=at(seconds),
        queue_ms=0.25,
        start_ms=130.5,
        fingerprint="f" * 64,
        outcome=ended,
    )


def source(code: str, slug: str = "markdown") -> PluginSource:
    """A plugin in JavaScript."""
    return PluginSource(Slug(slug), version_of(Language.JAVASCRIPT, code), Language.JAVASCRIPT, code)


def event(reason: str, *, workspace: WorkspaceId | None = HOME) -> Event:
    """Something that happened."""
    return Event(NOON, "uid:0", "stop", reason, workspace)
