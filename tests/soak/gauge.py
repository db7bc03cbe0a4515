"""What the daemon holds: memory, descriptors, threads. Compared between two calms, in which nothing runs."""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil

from tests.soak.processes import open_files

MIB = 1024 * 1024
MEMORY_MIB = 12.0
"""What its own memory may grow by between two calms: caches fill, and memory that was used in a burst is not given back
whole. Seen: 1 to 2 MiB in the second half of a soak of ten minutes, with 1,600 to 2,000 calls in it."""
DESCRIPTORS = 16
"""What its descriptors may grow by: pools of threads and of connections fill up to their bounds."""
THREADS = 12
"""What its threads may grow by: the pools for podman and for files fill up to their bounds."""


@dataclass(frozen=True, slots=True)
class Reading:
    """`unique_mib` is memory that the process shares with nobody; `zombies` are children that nobody waited for."""

    unique_mib: float
    resident_mib: float
    descriptors: int
    threads: int
    zombies: int

    def __str__(self) -> str:
        return (
            f"{self.unique_mib:.0f} MiB unique, {self.resident_mib:.0f} MiB resident, {self.descriptors} descriptors, "
            f"{self.threads} threads"
        )


def read(pid: int) -> Reading | None:
    """One look at a process; None when it is gone."""
    try:
        process = psutil.Process(pid)
        memory = process.memory_full_info()
        children = process.children()
        zombies = sum(child.status() == psutil.STATUS_ZOMBIE for child in children)
        return Reading(memory.uss / MIB, memory.rss / MIB, open_files(pid), process.num_threads(), zombies)
    except (psutil.Error, OSError):
        return None


def settled(pid: int, seconds: float) -> Reading | None:
    """The smallest of several looks within so many seconds: what is only passing is not counted."""
    until = time.monotonic() + seconds
    least = read(pid)
    while least is not None and time.monotonic() < until:
        time.sleep(0.25)  # the interval of the looks, in a thread of its own
        now = read(pid)
        if now is None:
            return None
        least = Reading(
            min(least.unique_mib, now.unique_mib),
            min(least.resident_mib, now.resident_mib),
            min(least.descriptors, now.descriptors),
            min(least.threads, now.threads),
            min(least.zombies, now.zombies),
        )
    return least


def growth(before: Reading, after: Reading) -> list[str]:
    """What grew by more than it may."""
    wrong = []
    grown = after.unique_mib - before.unique_mib
    if grown > MEMORY_MIB:
        wrong.append(f"The daemon's memory grew by {grown:.1f} MiB between two calms; {MEMORY_MIB:.0f} are allowed.")
    for name, had, has, allowed in (
        ("descriptors", before.descriptors, after.descriptors, DESCRIPTORS),
        ("threads", before.threads, after.threads, THREADS),
    ):
        if has - had > allowed:
            wrong.append(f"The daemon's {name} went from {had} to {has} between two calms; {allowed} more are allowed.")
    if after.zombies:
        wrong.append(f"The daemon has {after.zombies} children that ended and were never waited for.")
    return wrong
