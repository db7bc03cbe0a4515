"""Keeps a point for each minute of each workspace that ran, with the totals of owners: one transaction a minute."""

from __future__ import annotations

import asyncio

import structlog

from wsmgr.control.sampler import KEPT_S, Sampler
from wsmgr.control.totals import Totals
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.samples import Samples
from wsmgr.core.series import Point, merge
from wsmgr.core.usage import Mark
from wsmgr.ports.clock import Clock
from wsmgr.ports.store import UsageStore

log = structlog.get_logger(__name__)

MINUTE_S = 60
AT_ONCE = 20
"""So many workspaces are worked out before others get their turn: a few milliseconds."""


class Rollup:
    """A minute is written after the sweep that ended it. What could not be is tried again with the next, for as long as
    its samples are kept."""

    def __init__(self, sampler: Sampler, totals: Totals, store: UsageStore, clock: Clock) -> None:
        self._sampler = sampler
        self._totals = totals
        self._store = store
        self._clock = clock
        self._until: int | None = None
        self._tried = 0
        self._failed = False
        self._marked: float | None = None

    @property
    def until(self) -> int | None:
        """Up to here (seconds since the epoch, exclusive) points are stored; None: this daemon has stored none yet."""
        return self._until

    async def open(self) -> None:
        """Go on where the last daemon ended. Raises StoreUnavailable."""
        marks = await self._store.usage_marks()
        await self._sampler.open({mark.workspace: mark for mark in marks})

    async def run(self) -> None:
        """For ever; cancel it to end."""
        while True:
            await self._sampler.next()
            if self._whole() != self._tried:
                await self.flush_if_possible()

    async def flush_if_possible(self, *, partly: bool = False) -> None:
        """As `flush`; what fails is logged."""
        try:
            await self.flush(partly=partly)
        except StoreUnavailable as error:
            log.warning("usage not stored yet", why=error.sentence)
        except Exception:
            # The next minute tries again; a loop that ended would be missed only much later.
            log.exception("usage not stored")

    async def flush(self, *, partly: bool = False) -> None:
        """Store all minutes that are over; `partly` also the one that is not. Raises StoreUnavailable."""
        until = self._tried = self._end() if partly else self._whole()
        if not until:
            return
        begin = self._begin(until)
        self._failed = True
        points = await self._points(begin, until)
        # Of the same moment: `due` takes what there is before it waits for anything.
        marks, marked = self._marks(), self._sampler.swept
        totals = await self._totals.due()
        await self._store.put_usage(points, totals, marks)
        self._totals.settle(totals)
        self._until, self._marked, self._failed = until, marked, False

    def live(self, samples: Samples, since: int) -> list[Point]:
        """The minutes of one workspace from `since` (seconds since the epoch) on, as they would be stored now."""
        end = (samples.newest + 1) * self._sampler.period_s
        first = max(since, end - KEPT_S)
        starts = range(first - first % MINUTE_S, end, MINUTE_S)
        return [point for start in starts if (point := self._minute(samples, start, end)) is not None]

    def _end(self) -> int:
        """Where the last sweep's time ends, in seconds since the epoch; 0 before the first."""
        return 0 if self._sampler.slot is None else (self._sampler.slot + 1) * self._sampler.period_s

    def _whole(self) -> int:
        """Where the last minute ends that is over."""
        return self._end() - self._end() % MINUTE_S

    def _begin(self, until: int) -> int:
        oldest = until - KEPT_S
        if self._until is None or self._until > until:
            # The first time, or the clock was set back.
            return oldest
        if self._until < oldest and self._failed:
            # Without a try that failed there was nothing in that time: the clock was set forward, or the host slept.
            log.error("usage was lost: the database was away for too long", minutes=(oldest - self._until) // MINUTE_S)
        return max(self._until, oldest)

    async def _points(self, begin: int, until: int) -> list[tuple[WorkspaceId, Point]]:
        found = []
        for number, (workspace, watch) in enumerate(list(self._sampler.watches.items()), start=1):
            samples = watch.samples
            if samples is not None:
                points = (self._minute(samples, start, until) for start in range(begin, until, MINUTE_S))
                found += [(workspace, point) for point in points if point is not None]
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return found

    def _minute(self, samples: Samples, start: int, until: int) -> Point | None:
        """The samples that began within a minute as one point, which begins with the first of them; None: none did."""
        period_s = self._sampler.period_s
        last = min(start + MINUTE_S, until) - 1
        points = list(samples.points(-(-start // period_s), last // period_s))
        return merge(points, points[0].at) if points else None

    def _marks(self) -> list[Mark]:
        """Of those that were read since the last write."""
        now = self._clock.now()
        every = (watch.mark(workspace, now, self._marked) for workspace, watch in self._sampler.watches.items())
        return [mark for mark in every if mark is not None]
