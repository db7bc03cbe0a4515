"""What is written in a control group's files. Pure, and total: what is not understood is no limit and no count.

The formats are those of the kernel's Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import math

CPU_PERIOD_US = 100_000
"""The period over which CPU time is shared out, and the kernel's own default."""


def number(text: str | None) -> int | None:
    """A count or a limit; None for `max`, which is none."""
    word = (text or "").strip()
    return int(word) if word.isascii() and word.isdecimal() else None


def cores(text: str | None) -> float | None:
    """`cpu.max`, `<quota µs or max> <period µs>`, in cores; None for `max`."""
    words = (text or "").split()
    if len(words) != 2:
        return None
    quota, period = number(words[0]), number(words[1])
    return quota / period if quota is not None and period else None


def quota(cpus: float) -> str:
    """What `cpu.max` is given to hold a group to so many cores. Raises ValueError when that is no number of cores."""
    if not math.isfinite(cpus):
        raise ValueError(f"{cpus} is no number of cores.")
    return f"{round(cpus * CPU_PERIOD_US)} {CPU_PERIOD_US}"


def table(text: str | None) -> dict[str, int]:
    """A file of `<name> <number>` lines, as `memory.stat`, `cpu.stat` and all `*.events` are."""
    found: dict[str, int] = {}
    for line in (text or "").splitlines():
        name, _, value = line.partition(" ")
        count = number(value)
        if count is not None:
            found[name] = count
    return found
