"""Reads what running workspaces use: from their control groups where they have them, else from their processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wsmgr.core.cgroup import Counters
from wsmgr.core.usage import Reading
from wsmgr.core.workspace import Running
from wsmgr.ports.cgroup import Cgroups, Group, GroupGone
from wsmgr.ports.clock import Clock
from wsmgr.ports.meter import HostUse, Meter, Question, Use


@dataclass(frozen=True, slots=True)
class Taken:
    """A reading of each instance that was asked for (None: it has gone), of the host, and when that was, on the
    monotonic clock."""

    mono: float
    readings: Sequence[Reading | None]
    host: HostUse


class Readings:
    """Blocks, and is used by one thread at a time. What counts for an instance is chosen once, since the counters of a
    group and of processes are not the same."""

    def __init__(self, meter: Meter, cgroups: Cgroups | None, clock: Clock) -> None:
        self._meter = meter
        self._clock = clock
        self._cgroups = cgroups
        self._groups: dict[str, Group | None] = {}

    def read(self, running: Sequence[Running]) -> Taken:
        """Look at all of them."""
        mono = self._clock.monotonic()
        known, self._groups = self._groups, {}
        counted = [self._counted(one, known) for one in running]
        questions = [
            Question(one.endpoint, tree=counters is None) for one, counters in zip(running, counted, strict=True)
        ]
        used = self._meter.workspaces(questions)
        readings = [_reading(*each) for each in zip(running, counted, used, strict=True)]
        return Taken(mono, readings, self._meter.host())

    def _counted(self, running: Running, known: dict[str, Group | None]) -> Counters | None:
        """What the group of an instance counts; None where it has none that counts memory and CPU."""
        instance = running.endpoint.instance
        first = instance not in known
        group = self._find(running) if first else known[instance]
        self._groups[instance] = group
        if group is None or self._cgroups is None:
            return None
        try:
            counters = self._cgroups.counters(group)
        except GroupGone:
            return Counters()
        if first and (counters.cpu_s is None or counters.working_set_bytes is None):
            self._groups[instance] = None
            return None
        return counters

    def _find(self, running: Running) -> Group | None:
        if self._cgroups is None:
            return None
        try:
            return self._cgroups.find(running)
        except GroupGone:
            return None


def _reading(running: Running, counters: Counters | None, use: Use | None) -> Reading | None:
    if use is None or (counters is not None and counters.cpu_s is None):
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
            **network_and_scratch,
        )
    return Reading(
        incarnation=running.endpoint.instance,
        cpu_s=counters.cpu_s,
        memory_bytes=counters.working_set_bytes,
        pids=counters.pids,
        throttled_s=counters.throttled_s,
        oom_kills=counters.oom_kills,
        **network_and_scratch,
    )
