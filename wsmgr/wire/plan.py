"""Plans and their limits."""

from __future__ import annotations

from wsmgr.wire.base import Response
from wsmgr.wire.page import Page


class Limits(Response):
    """What a workspace may use. MiB, cores, seconds, milliseconds and bytes, as the names say."""

    memory_mb: int
    cpus: float
    pids: int
    nofile: int
    scratch_mb: int
    idle_timeout_seconds: int
    max_concurrent_workspaces: int
    execution_timeout_ms: int
    max_execution_timeout_ms: int
    concurrent_executions: int
    queue_length: int
    queue_timeout_ms: int
    input_bytes: int
    output_bytes: int
    log_bytes: int
    plugin_bytes: int
    require_enforced_limits: bool


class Plan(Response):
    """A named set of limits."""

    name: str
    limits: Limits


class PlanPage(Page[Plan]):
    """All plans."""
