"""What the kernel holds a workspace to, and what it counted, as read from its control group."""

from __future__ import annotations

from dataclasses import dataclass

PAGE_BYTES = 65_536
"""The largest page that a kernel rounds memory limits to (64 KiB on some ARM hosts)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """Limits of a control group; None: the kernel holds it to none, or none that could be read.

    `memory_bytes` and `swap_bytes` in bytes (the kernel rounds memory down to pages; where it does not count swap,
    that is 0), `cpus` in cores, `pids` counts tasks.
    """

    memory_bytes: int | None = None
    swap_bytes: int | None = None
    cpus: float | None = None
    pids: int | None = None

    def meets(self, wanted: Ceilings) -> bool:
        """Whether these are what was wanted, up to what a kernel rounds."""
        return (
            _near(self.swap_bytes, wanted.swap_bytes, PAGE_BYTES)
            and _near(self.memory_bytes, wanted.memory_bytes, PAGE_BYTES)
            and _near(self.cpus, wanted.cpus, 0.001)
            and _near(self.pids, wanted.pids, 0)
        )


def _near(held: float | None, wanted: float | None, tolerance: float) -> bool:
    return wanted is None or (held is not None and abs(held - wanted) <= tolerance)


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
