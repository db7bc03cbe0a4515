"""What a plan allows a workspace and its owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one workspace and of its owner.

    Units are in the names: `_mb` is MiB, `_bytes` bytes, `_s` seconds; `cpus` are cores.
    """

    memory_mb: int
    cpus: float
    idle_timeout_s: int
    max_workspaces: int
    pause_after_s: int = 0
    pids: int = 128
    nofile: int = 512
    scratch_mb: int = 64
    execution_timeout_s: float = 30.0
    max_execution_timeout_s: float = 120.0
    concurrent_executions: int = 4
    queue_length: int = 256
    queue_timeout_s: float = 30.0
    input_bytes: int = 1 * MIB
    output_bytes: int = 1 * MIB
    log_bytes: int = 64 * 1024
    plugin_bytes: int = 4 * MIB
    require_enforced: bool = False


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
        pause_after_s=60,
        pids=256,
        nofile=1024,
        scratch_mb=256,
        execution_timeout_s=60.0,
        max_execution_timeout_s=300.0,
        concurrent_executions=8,
        queue_length=512,
        input_bytes=4 * MIB,
        output_bytes=8 * MIB,
        log_bytes=256 * 1024,
        plugin_bytes=16 * MIB,
    ),
)
ENTERPRISE = Plan(
    "ENTERPRISE",
    Limits(
        memory_mb=2048,
        cpus=2.0,
        max_workspaces=10,
        idle_timeout_s=1800,
        pause_after_s=300,
        pids=512,
        nofile=4096,
        scratch_mb=1024,
        execution_timeout_s=120.0,
        max_execution_timeout_s=900.0,
        concurrent_executions=16,
        queue_length=1024,
        input_bytes=16 * MIB,
        output_bytes=32 * MIB,
        log_bytes=1 * MIB,
        plugin_bytes=32 * MIB,
    ),
)
NO_PLAN = Plan("DEFAULT", Limits(memory_mb=256, cpus=0.5, max_workspaces=1, idle_timeout_s=300, pause_after_s=60))

PLANS: Mapping[str, Plan] = {plan.name: plan for plan in (FREE, PRO, ENTERPRISE)}


def plan_named(name: str | None) -> Plan:
    """The plan of that name; an unknown name is FREE, and no name at all is the platform's default limits."""
    if name is None:
        return NO_PLAN
    return PLANS.get(name.upper(), FREE)
