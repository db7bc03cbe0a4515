"""What workspaces and owners used: the part of the daemon that samples it, keeps it, and answers for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from wsmgr.control.rollup import MINUTE_S, Rollup
from wsmgr.control.sampler import KEPT_S, Sampler
from wsmgr.control.totals import Totals
from wsmgr.core.ids import OwnerKey, WorkspaceId
from wsmgr.core.series import Bucket, Point, Window, downsample, window
from wsmgr.core.usage import Current, OwnerTotal, Share
from wsmgr.ports.clock import Clock
from wsmgr.ports.meter import HostUse
from wsmgr.ports.offload import Offload
from wsmgr.ports.store import UsageStore

AT_ONCE = 16
"""So many buckets are worked out before others get their turn."""


@dataclass(frozen=True, slots=True)
class Series:
    """The buckets of a window that have something in them, oldest first."""

    window: Window
    buckets: list[Bucket]


class Usage:
    """`sampler` and `rollup` work in the background between `open` and `close`."""

    def __init__(
        self, sampler: Sampler, rollup: Rollup, totals: Totals, store: UsageStore, offload: Offload, clock: Clock
    ) -> None:
        self.sampler = sampler
        self._rollup = rollup
        self._totals = totals
        self._store = store
        self._offload = offload
        self._clock = clock

    async def open(self) -> None:
        """Go on from what the last daemon had counted. Raises StoreUnavailable."""
        await self._rollup.open()

    async def run(self) -> None:
        """Sample and store, for ever; cancel it to end."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.sampler.run(), name="sampler")
            tasks.create_task(self._rollup.run(), name="rollup")

    async def last_look(self) -> None:
        """Before the workspaces are stopped, so that what they used until now is counted."""
        await self.sampler.sweep()

    async def close(self) -> None:
        """Store what was counted. After `run` was cancelled, while the store is open."""
        await self._rollup.flush_if_possible(partly=True)
        self._offload.close()

    def current(self, workspace: WorkspaceId) -> Current:
        """What a workspace uses now."""
        return self.sampler.current(workspace)

    @property
    def host(self) -> HostUse:
        """What the host used at the last sweep."""
        return self.sampler.host

    @property
    def counted(self) -> Share:
        """What all workspaces used in this daemon's time."""
        return self._totals.counted

    async def of_owner(self, owner: OwnerKey) -> OwnerTotal | None:
        """What all workspaces of an owner used, in all; None: nothing yet. Raises StoreUnavailable."""
        return await self._totals.of(owner)

    async def series(self, workspace: WorkspaceId, range_s: int, most: int) -> Series:
        """What a workspace used in the last `range_s` seconds, in at most `most` buckets. Of the last 15 minutes from
        samples, of more from minutes. Raises StoreUnavailable."""
        period_s = self.sampler.period_s
        now = self._now()
        if range_s <= KEPT_S:
            of = window(range_s, most, period_s, now)
            points = self._samples(workspace, of)
        else:
            of = window(range_s, most, MINUTE_S, now)
            points = await self._minutes(workspace, of)
        buckets = []
        for bucket in downsample(points, of):
            buckets.append(bucket)
            if len(buckets) % AT_ONCE == 0:
                await asyncio.sleep(0)
        return Series(of, buckets)

    def _now(self) -> int:
        """Where the last sample ends."""
        slot = self.sampler.slot
        return int(self._clock.now().timestamp()) if slot is None else (slot + 1) * self.sampler.period_s

    def _samples(self, workspace: WorkspaceId, of: Window) -> list[Point]:
        watch = self.sampler.watches.get(workspace)
        if watch is None or watch.samples is None:
            return []
        period_s = self.sampler.period_s
        return list(watch.samples.points(of.start // period_s, of.end // period_s))

    async def _minutes(self, workspace: WorkspaceId, of: Window) -> list[Point]:
        # Read before the store is: a minute that is stored meanwhile is then there twice, and not missing.
        until = self._rollup.until or 0
        stored = await self._store.usage_points(workspace, of.start)
        watch = self.sampler.watches.get(workspace)
        if watch is None or watch.samples is None:
            return list(stored)
        known = {point.at for point in stored}
        live = [point for point in self._rollup.live(watch.samples, until) if point.at not in known]
        return sorted([*stored, *live], key=lambda point: point.at)
