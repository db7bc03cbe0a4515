"""Looks at all running workspaces every few seconds: one sweep for all, and no call to an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

import structlog

from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.control.readings import Readings
from wsmgr.control.tally import Tally
from wsmgr.control.totals import Totals
from wsmgr.control.watch import Look, Seen, Watch
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.usage import Current, Mark, Reading
from wsmgr.core.workspace import Running
from wsmgr.ports.clock import Clock
from wsmgr.ports.meter import HostUse
from wsmgr.ports.offload import Busy, Offload

log = structlog.get_logger(__name__)

KEPT_S = 15 * 60
"""For how long samples are kept in memory."""
READ_S = 4.0
"""The longest wait for the kernel's files."""
AT_ONCE = 50
"""So many workspaces are worked out before others get their turn: about a millisecond."""
NOT_SEEN = Current()
UNKNOWN = HostUse(
    cpu_percent=None,
    memory_used_bytes=0,
    memory_total_bytes=0,
    disk_used_bytes=None,
    disk_total_bytes=None,
    load_average=(0.0, 0.0, 0.0),
)
"""The host when even the first look at it took too long."""


class Sampler:
    """Owns the watches. A sweep comes each `period_s` by the monotonic clock. What it finds is about the period that
    ends with it, and goes to the slot of the wall clock that is nearest, each sweep to the one after the last: so each
    bucket of a graph gets its sample."""

    def __init__(
        self,
        fleet: Fleet,
        readings: Readings,
        offload: Offload,
        tally: Tally,
        totals: Totals,
        clock: Clock,
        period_s: int,
    ) -> None:
        self._fleet = fleet
        self._readings = readings
        self._offload = offload
        self._tally = tally
        self._totals = totals
        self._clock = clock
        self.period_s = period_s
        self._length = KEPT_S // period_s
        self._watches: dict[WorkspaceId, Watch] = {}
        self._marks: dict[WorkspaceId, Mark] = {}
        self.swept: float | None = None
        self._ended = asyncio.Event()
        self.slot: int | None = None
        self.host = UNKNOWN
        self.sweeps = 0
        self.missed = 0
        self.took_s = 0.0
        self.full_scratch: frozenset[WorkspaceId] = frozenset()

    @property
    def watches(self) -> Mapping[WorkspaceId, Watch]:
        """All that is remembered."""
        return self._watches

    async def open(self, marks: Mapping[WorkspaceId, Mark]) -> None:
        """Go on from what an earlier daemon had counted, and have a first look at the host."""
        self._marks = dict(marks)
        try:
            self.host = await self._offload.run(self._readings.host, READ_S)
        except Busy as error:
            log.warning("the host was not looked at", why=str(error))

    def current(self, workspace: WorkspaceId) -> Current:
        """What it uses now, by the last sweep; all None when it was in none, or sweeps fail."""
        watch = self._watches.get(workspace)
        fresh = self.swept is not None and self._clock.monotonic() - self.swept <= 3 * self.period_s
        return watch.current if watch is not None and fresh else NOT_SEEN

    async def run(self) -> None:
        """For ever; cancel it to end."""
        due = self._clock.monotonic()
        while True:
            now = self._clock.monotonic()
            # After a stall those that were missed are left out.
            due = max(due + self.period_s, now)
            await self._clock.sleep(due - now)
            try:
                await self.sweep()
            except Exception:
                # A sampler that ended would be missed only much later; the defect is logged and it goes on.
                log.exception("sweep failed")

    async def next(self) -> None:
        """Return after the next sweep."""
        await self._ended.wait()

    async def sweep(self) -> None:
        """Look at every workspace that runs, once."""
        began = self._clock.monotonic()
        running = {entry.record.id: one for entry in self._fleet if (one := running_of(entry)) is not None}
        await self._readings.find_groups(list(running.values()))
        try:
            taken = await self._offload.run(partial(self._readings.read, list(running.values())), READ_S)
        except Busy as error:
            self.missed += 1
            log.warning("no usage was sampled", why=str(error))
            return
        look = self._look(taken.mono)
        read = dict(zip(running, taken.readings, strict=True))
        self.full_scratch = frozenset(one for one, reading in read.items() if reading and reading.scratch_full)
        for number, entry in enumerate(self._fleet, start=1):
            self._take(entry, look, running.get(entry.record.id), read.get(entry.record.id))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        self._forget(look)
        self.host, self.swept, self.slot = taken.host, look.mono, look.slot
        self.sweeps += 1
        ended, self._ended = self._ended, asyncio.Event()
        ended.set()
        self.took_s = self._clock.monotonic() - began

    def _take(self, entry: Entry, look: Look, running: Running | None, reading: Reading | None) -> None:
        workspace = entry.record.id
        watch = self._watches.get(workspace)
        if watch is None:
            watch = self._watches[workspace] = Watch(self._marks.pop(workspace, None))
        units = entry.units.values()
        seen = Seen(
            reading=reading,
            age_s=0.0 if running is None else (look.at - running.started_at).total_seconds(),
            limits=entry.limits,
            runs=self._tally.take(workspace),
            failures=sum(unit.restarts for unit in units),
            generation=entry.record.generation,
            last_exit=entry.serving.last_exit,
        )
        share = watch.take(look, seen, self._length)
        if share is not None:
            self._totals.add(entry.record.owner, share, look.at)

    def _look(self, mono: float) -> Look:
        now = self._clock.now()
        elapsed_s = None if self.swept is None else mono - self.swept
        return Look(self._slot(now.timestamp(), elapsed_s), self.period_s, now, mono, elapsed_s)

    def _slot(self, now: float, elapsed_s: float | None) -> int:
        """The next one, unless somebody has set the wall clock: rounding alone would now and then give the same slot
        to two sweeps, and none to the next."""
        nearest = round(now / self.period_s) - 1
        if self.slot is None or elapsed_s is None:
            return nearest
        following = self.slot + max(1, round(elapsed_s / self.period_s))
        return following if abs(nearest - following) <= 1 else nearest

    def _forget(self, look: Look) -> None:
        """What was not seen for as long as samples are kept, and belongs to nobody any more."""
        if look.slot % self._length:
            return
        for workspace, watch in list(self._watches.items()):
            watch.forget_samples(look.slot - self._length)
            if watch.samples is None and self._fleet.find(workspace) is None:
                del self._watches[workspace]


def running_of(entry: Entry) -> Running | None:
    """The instance that is to be looked at: the one that serves, else another that runs. None: there is none, or it is
    shared by many workspaces."""
    for unit in (entry.serving, *entry.units.values()):
        observed = unit.observed
        if isinstance(observed, Running):
            return observed if observed.endpoint.namespace is None else None
    return None
