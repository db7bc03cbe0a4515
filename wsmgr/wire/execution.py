"""Execution records."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from wsmgr.wire.base import Response
from wsmgr.wire.execute import ExecutionError, LogEntry
from wsmgr.wire.names import ExecutionState, Isolation
from wsmgr.wire.page import Page


class Execution(Response):
    """One run of one plugin version. What is known only at its end is null while it runs, and when it was lost."""

    id: str
    workspace: str
    plugin: str
    version: str
    state: ExecutionState
    isolation: Isolation
    degraded: bool
    cold_start: bool
    created_at: AwareDatetime
    queue_ms: float
    start_ms: float
    duration_ms: float | None = None
    success: bool | None = None
    output: object = None
    error: ExecutionError | None = None
    logs: list[LogEntry] = Field(default_factory=list)
    logs_truncated: bool = False


class ExecutionPage(Page[Execution]):
    """Records, newest first."""
