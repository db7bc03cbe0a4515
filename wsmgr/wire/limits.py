"""The limits of a plan, or of one owner."""

from __future__ import annotations

from wsmgr.wire.base import Response


class Limits(Response):
    """What a workspace, and an owner with all of its workspaces, may use. MiB, cores, seconds, milliseconds and bytes,
    as the names say. What has a default here came later: an older daemon does not say it."""

    memory_mb: int
    cpus: float
    max_concurrent_workspaces: int
    idle_timeout_seconds: int
    pause_after_seconds: int
    pids: int
    nofile: int
    scratch_mb: int
    data_mb: int
    execution_timeout_ms: int
    max_execution_timeout_ms: int
    concurrent_executions: int
    queue_length: int
    queue_timeout_ms: int
    async_queue_length: int
    input_bytes: int
    output_bytes: int
    log_bytes: int
    plugin_bytes: int
    plugin_files: int = 0
    plugin_space_mb: int = 0
    max_plugins: int
    plugin_versions_kept: int
    rate_per_second: float
    rate_burst: int
    restarts: int
    restart_window_seconds: int
    owner_memory_mb: int
    owner_cpus: float
    owner_pids: int
    owner_scratch_mb: int
    owner_concurrent_executions: int
    require_enforced_limits: bool
    unrestricted_runtime: bool = False
