"""What a plan allows a workspace and its owner, and the platform's own plans."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one workspace and of its owner.

    Units are in the names: `_mb` is MiB, `_bytes` bytes, `_s` seconds; `cpus` are cores. 0 means never for
    `idle_timeout_s` and `pause_after_s`, none for `data_mb`, and no bound for `rate_per_s`. The `owner_` limits hold
    for all of an owner's workspaces that hold memory together; 0 means as much as `max_workspaces` of them may have.
    """

    memory_mb: int
    cpus: float
    idle_timeout_s: int
    max_workspaces: int
    pids: int = 128
    nofile: int = 512
    scratch_mb: int = 64
    execution_timeout_s: float = 30.0
    max_execution_timeout_s: float = 120.0
    concurrent_executions: int = 4
    queue_length: int = 256
    queue_timeout_s: float = 30.0
    async_queue_length: int = 100
    input_bytes: int = 1 * MIB
    output_bytes: int = 1 * MIB
    log_bytes: int = 64 * 1024
    plugin_bytes: int = 4 * MIB
    require_enforced: bool = False
    pause_after_s: int = 15
    data_mb: int = 0
    rate_per_s: float = 5_000.0
    rate_burst: int = 50_000
    max_plugins: int = 50
    plugin_versions_kept: int = 10
    restarts: int = 3
    restart_window_s: int = 300
    owner_memory_mb: int = 0
    owner_cpus: float = 0.0
    owner_pids: int = 0
    owner_scratch_mb: int = 0
    owner_executions: int = 0

    @property
    def total_memory_mb(self) -> int:
        """What the owner's workspaces may promise themselves together."""
        return self.owner_memory_mb or self.max_workspaces * self.memory_mb

    @property
    def total_cpus(self) -> float:
        """As `total_memory_mb`, in cores."""
        return self.owner_cpus or self.max_workspaces * self.cpus

    @property
    def total_pids(self) -> int:
        """As `total_memory_mb`, in processes and threads."""
        return self.owner_pids or self.max_workspaces * self.pids

    @property
    def total_scratch_mb(self) -> int:
        """As `total_memory_mb`, of /tmp."""
        return self.owner_scratch_mb or self.max_workspaces * self.scratch_mb

    @property
    def total_executions(self) -> int:
        """How many calls of the owner run at once, in whichever of its workspaces."""
        return self.owner_executions or max(1, self.max_workspaces) * self.concurrent_executions


@dataclass(frozen=True, slots=True)
class Plan:
    """A named set of limits."""

    name: str
    limits: Limits


FREE = Plan("FREE", Limits(memory_mb=128, cpus=0.25, max_workspaces=1, idle_timeout_s=60, pause_after_s=15))
PRO = Plan(
    "PRO",
    Limits(
        memory_mb=512,
        cpus=1.0,
        max_workspaces=3,
        idle_timeout_s=300,
        pids=256,
        nofile=1024,
        scratch_mb=256,
        execution_timeout_s=60.0,
        max_execution_timeout_s=300.0,
        concurrent_executions=8,
        queue_length=512,
        async_queue_length=500,
        input_bytes=4 * MIB,
        output_bytes=8 * MIB,
        log_bytes=256 * 1024,
        plugin_bytes=16 * MIB,
        pause_after_s=60,
        rate_per_s=10_000.0,
        rate_burst=100_000,
        max_plugins=200,
        plugin_versions_kept=50,
    ),
)
ENTERPRISE = Plan(
    "ENTERPRISE",
    Limits(
        memory_mb=2048,
        cpus=2.0,
        max_workspaces=10,
        idle_timeout_s=1800,
        pids=512,
        nofile=4096,
        scratch_mb=1024,
        execution_timeout_s=120.0,
        max_execution_timeout_s=900.0,
        concurrent_executions=16,
        queue_length=1024,
        async_queue_length=2000,
        input_bytes=16 * MIB,
        output_bytes=32 * MIB,
        log_bytes=1 * MIB,
        plugin_bytes=32 * MIB,
        pause_after_s=300,
        rate_per_s=20_000.0,
        rate_burst=200_000,
        max_plugins=1000,
        plugin_versions_kept=100,
    ),
)
NO_PLAN = Plan("DEFAULT", Limits(memory_mb=256, cpus=0.5, max_workspaces=1, idle_timeout_s=300, pause_after_s=60))
