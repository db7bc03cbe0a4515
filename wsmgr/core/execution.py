"""The record of an execution."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wsmgr.core.ids import ExecutionId, Slug, Version, WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.outcome import FailureType, Outcome


class ExecutionState(StrEnum):
    """`QUEUED` waits to be started by the daemon itself. `RUNNING` is durable before the plugin starts when the caller
    named the id; `LOST` is told after a crash. `CANCELLED`: by its caller, or because its workspace was stopped."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing more becomes of it."""
        return self not in (ExecutionState.QUEUED, ExecutionState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One run of one plugin version. Code that came with the call has a version too, but is stored nowhere.

    `fingerprint` is a digest of the request, by which a second call with the same id is told from another call.
    `outcome` is None before its end, and after a crash that left no outcome.
    """

    id: ExecutionId
    workspace: WorkspaceId
    plugin: Slug
    version: Version
    state: ExecutionState
    isolation: Isolation
    degraded: bool
    cold_start: bool
    created_at: datetime
    queue_ms: float
    start_ms: float
    fingerprint: str
    outcome: Outcome | None


def state_of(outcome: Outcome | None) -> ExecutionState:
    """The state of an execution that has started; without an outcome it runs."""
    if outcome is None:
        return ExecutionState.RUNNING
    if outcome.failure is None:
        return ExecutionState.SUCCEEDED
    cancelled = outcome.failure.type is FailureType.CANCELLED
    return ExecutionState.CANCELLED if cancelled else ExecutionState.FAILED
