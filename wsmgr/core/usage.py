"""What a workspace uses: as counters are read, what was used between two readings, and what is told of it now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from wsmgr.core.ids import OwnerKey, WorkspaceId
from wsmgr.core.limits import MIB, Limits

GAUGES = (
    "cpu_percent",
    "cpu_of_limit_percent",
    "memory_mb",
    "memory_limit_mb",
    "network_in_bytes_per_s",
    "network_out_bytes_per_s",
    "pids",
    "throttled_percent",
    "scratch_mb",
)
"""The quantities of a sample, in this order. `cpu_percent`: 100 is one core; `cpu_of_limit_percent`: 100 is all that
the plan allows; `throttled_percent`: for how much of the time the CPU limit made it wait; `_mb` in MiB."""

Gauges = tuple[float | None, ...]
"""A value for each of GAUGES; None: not measured."""

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One look at a workspace that runs. `incarnation` tells one run of its container from the next: the counters
    (`cpu_s`, `network_*`, `throttled_s`, `oom_kills`) begin at 0 with it. `memory_bytes` is the working set, `pids`
    counts tasks. `scratch_full`: nothing more can be written to `/tmp`. None: not measured."""

    incarnation: str
    cpu_s: float | None = None
    memory_bytes: int | None = None
    network_in_bytes: int | None = None
    network_out_bytes: int | None = None
    pids: int | None = None
    throttled_s: float | None = None
    oom_kills: int | None = None
    scratch_bytes: int | None = None
    scratch_full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What was used between two readings; None: not known."""

    cpu_s: float | None = None
    network_in_bytes: int | None = None
    network_out_bytes: int | None = None
    throttled_s: float | None = None
    oom_kills: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far the use of a workspace has been counted: the counters of the incarnation that was read last, and totals
    over all its incarnations. With it the next daemon goes on where this one ended."""

    workspace: WorkspaceId
    at: datetime
    incarnation: str
    cpu_s: float = 0.0
    network_in_bytes: int = 0
    network_out_bytes: int = 0
    total_in_bytes: int = 0
    total_out_bytes: int = 0
    total_oom_kills: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What an owner is to be counted for. `cpu_s` in seconds of one core, `memory_mb_s` in MiB held times seconds."""

    cpu_s: float = 0.0
    memory_mb_s: float = 0.0
    network_in_bytes: int = 0
    network_out_bytes: int = 0
    executions: int = 0
    errors: int = 0

    def __add__(self, other: Share) -> Share:
        return Share(
            cpu_s=self.cpu_s + other.cpu_s,
            memory_mb_s=self.memory_mb_s + other.memory_mb_s,
            network_in_bytes=self.network_in_bytes + other.network_in_bytes,
            network_out_bytes=self.network_out_bytes + other.network_out_bytes,
            executions=self.executions + other.executions,
            errors=self.errors + other.errors,
        )


@dataclass(frozen=True, slots=True)
class OwnerTotal:
    """What all workspaces of an owner used since `since`."""

    owner: OwnerKey
    since: datetime
    share: Share = Share()

    def __add__(self, share: Share) -> OwnerTotal:
        return OwnerTotal(self.owner, self.since, self.share + share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """What is told of a workspace now; None: not measured. Totals are over its restarts, `_per_min` and the durations
    `p50_ms` and `p95_ms` over the last minute. Rounded, so that what stays the same for people is equal."""

    memory_mb: float | None = None
    cpu_percent: float | None = None
    network_in_bytes: int | None = None
    network_out_bytes: int | None = None
    memory_limit_mb: float | None = None
    cpu_of_limit_percent: float | None = None
    network_in_bytes_per_s: float | None = None
    network_out_bytes_per_s: float | None = None
    pids: int | None = None
    throttled_percent: float | None = None
    scratch_mb: float | None = None
    oom_kills: int | None = None
    executions_per_min: float | None = None
    errors_per_min: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None


def spent(before: Reading | None, after: Reading) -> Spent:
    """What `after` has more than `before`: all that it has when that was another incarnation or nothing was read."""
    if before is None or before.incarnation != after.incarnation:
        before = Reading(
            incarnation="", cpu_s=0.0, network_in_bytes=0, network_out_bytes=0, throttled_s=0.0, oom_kills=0
        )
    return Spent(
        cpu_s=_grown(before.cpu_s, after.cpu_s),
        network_in_bytes=_grown(before.network_in_bytes, after.network_in_bytes),
        network_out_bytes=_grown(before.network_out_bytes, after.network_out_bytes),
        throttled_s=_grown(before.throttled_s, after.throttled_s),
        oom_kills=_grown(before.oom_kills, after.oom_kills),
    )


def _grown(before: Number | None, after: Number | None) -> Number | None:
    """Counters do not go back: where one does, a process has gone that nobody waited for, and nothing is known."""
    if before is None or after is None:
        return None
    return max(after - before, type(after)(0))


def gauges(reading: Reading, used: Spent, elapsed_s: float | None, limits: Limits) -> Gauges:
    """The values of GAUGES; `used` was used within `elapsed_s`. None: there are no rates."""
    cpu = _per_second(used.cpu_s, elapsed_s, 100.0)
    waited = _per_second(used.throttled_s, elapsed_s, 100.0)
    return (
        cpu,
        None if cpu is None or not limits.cpus else cpu / limits.cpus,
        None if reading.memory_bytes is None else reading.memory_bytes / MIB,
        float(limits.memory_mb),
        _per_second(used.network_in_bytes, elapsed_s, 1.0),
        _per_second(used.network_out_bytes, elapsed_s, 1.0),
        None if reading.pids is None else float(reading.pids),
        # It is counted for each core on which it waited.
        None if waited is None else min(waited, 100.0),
        None if reading.scratch_bytes is None else reading.scratch_bytes / MIB,
    )


def _per_second(amount: float | None, elapsed_s: float | None, scale: float) -> float | None:
    return None if amount is None or elapsed_s is None or elapsed_s <= 0 else scale * amount / elapsed_s
