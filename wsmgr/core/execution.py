"""The record of an execution."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wsmgr.core.ids import ExecutionId, Slug, Version, WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.outcome import Outcome


class ExecutionState(StrEnum):
    """`RUNNING` is durable before the plugin starts when the caller named the id; `LOST` is told after a crash."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One run of one plugin version. Code that came with the call has a version too, but is stored nowhere.

    `fingerprint` is a digest of the request, by which a second call with the same id is told from another call.
    `outcome` is None while it runs, and after a crash that left no outcome. `input_kept`: `input` is what it was given;
    large ones are not kept.
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
    input: object = None
    input_kept: bool = False
