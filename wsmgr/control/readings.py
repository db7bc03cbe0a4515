"""Reads what running workspaces use: from their control groups where they have them, else from their processes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from wsmgr.core.cgroup import Counters
from wsmgr.core.usage import Reading
from wsmgr.core.workspace import Running
from wsmgr.ports.cgroup import Group, GroupGone
from wsmgr.ports.clock import Clock
from wsmgr.ports.meter import GroupCounters, HostUse, Meter, Question, Use

FIND_S = 1.0
"""The longest wait for a group. The kernel has it wait while processes are moved between groups."""
TRIES = 3
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Taken:
    """A reading of each instance that was asked for (None: it has gone), of the host, and when that was, on the
    monotonic clock."""

    mono: float
    readings: Sequence[Reading | None]
    host: HostUse


class Readings:
    """What counts for an instance is its group, or its processes where no group was found in a few tries."""

    def __init__(self, meter: Meter, groups: GroupCounters | None, clock: Clock) -> None:
        self._meter = meter
        self._counting = groups
        self._clock = clock
        self._groups: dict[str, Group] = {}
        self._tries: dict[str, int] = {}

    async def find_groups(self, running: Sequence[Running]) -> None:
        """Find the groups of instances that are new, and forget those of instances that are not there any more."""
        if self._counting is None:
            return
        there = {one.endpoint.instance for one in running}
        self._groups = {instance: group for instance, group in self._groups.items() if instance in there}
        self._tries = {instance: tries for instance, tries in self._tries.items() if instance in there}
        left = iter([one for one in running if self._tries.get(one.endpoint.instance, 0) < TRIES])

        async def some() -> None:
            for one in left:
                await self._find(self._counting, one)

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))

    def read(self, running: Sequence[Running]) -> Taken:
        """Look at all of them. Blocks."""
        mono = self._clock.monotonic()
        counted = [self._counted(one) for one in running]
        questions = [
            Question(one.endpoint, tree=counters is None) for one, counters in zip(running, counted, strict=True)
        ]
        used = self._meter.workspaces(questions)
        readings = [_reading(*each) for each in zip(running, counted, used, strict=True)]
        return Taken(mono, readings, self._meter.host())

    def host(self) -> HostUse:
        """The host alone. Blocks."""
        return self._meter.host()

    async def _find(self, counting: GroupCounters | None, running: Running) -> None:
        instance = running.endpoint.instance
        self._tries[instance] = self._tries.get(instance, 0) + 1
        group = None if counting is None else await counting.find(running, FIND_S)
        if group is not None:
            self._groups[instance] = group
            self._tries[instance] = TRIES

    def _counted(self, running: Running) -> Counters | None:
        """What the group of an instance counts; None where there is none that counts memory and CPU."""
        group = self._groups.get(running.endpoint.instance)
        if group is None or self._counting is None:
            return None
        try:
            counters = self._counting.counters(group)
        except GroupGone:
            # With its last process: that is not there either.
            return None
        if counters.cpu_s is None or counters.working_set_bytes is None:
            del self._groups[running.endpoint.instance]
            return None
        return counters


def _reading(running: Running, counters: Counters | None, use: Use | None) -> Reading | None:
    if use is None:
        return None
    network_and_scratch = {
        "network_in_bytes": use.network_in_bytes,
        "network_out_bytes": use.network_out_bytes,
        "scratch_bytes": use.scratch_bytes,
    }
    if counters is None:
        return Reading(
            incarnation=running.endpoint.instance,
            cpu_s=use.cpu_s,
            memory_bytes=use.memory_bytes,
            pids=use.tasks,
            scratch_full=use.scratch_full,
            **network_and_scratch,
        )
    return Reading(
        incarnation=running.endpoint.instance,
        cpu_s=counters.cpu_s,
        memory_bytes=counters.working_set_bytes,
        pids=counters.pids,
        throttled_s=counters.throttled_s,
        oom_kills=counters.oom_kills,
        scratch_full=use.scratch_full,
        **network_and_scratch,
    )
