"""What the kernel holds a workspace to, and what it counted, as read from its control group."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """Limits of a control group; None: the kernel holds it to none, or none that could be read.

    `memory_bytes` and `swap_bytes` in bytes (the kernel rounds memory down to whole pages), `cpus` in cores, `pids`
    counts tasks.
    """

    memory_bytes: int | None = None
    swap_bytes: int | None = None
    cpus: float | None = None
    pids: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What a control group uses and has used since it was made; None: the controller is not there.

    `memory_bytes` is all that is charged to it, `working_set_bytes` that less what the kernel could drop at once
    (inactive file pages). CPU times in seconds; `throttled_s` is the time in which it was made to wait by its CPU
    limit. `oom_kills` counts processes that the kernel killed in it, `pids_refused` the forks that it refused.
    """

    memory_bytes: int | None = None
    working_set_bytes: int | None = None
    cpu_s: float | None = None
    throttled_s: float | None = None
    oom_kills: int | None = None
    pids: int | None = None
    pids_refused: int | None = None
