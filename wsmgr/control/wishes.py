"""How a workspace comes to be wanted running: it is let in, and whoever has to make room is stopped."""

from __future__ import annotations

import asyncio

import structlog

from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.capacity import Capacity
from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.control.reconciler import Reconciler
from wsmgr.core.admission import OneWorkspace, admit
from wsmgr.core.errors import QuotaExceeded, WsmgrError
from wsmgr.core.workspace import HOLDING, Desired
from wsmgr.ports.clock import Clock

log = structlog.get_logger(__name__)


class Wishes:
    """Owns the tasks that store the stops which nobody waits for."""

    def __init__(self, fleet: Fleet, capacity: Capacity, reconciler: Reconciler, audit: Audit, clock: Clock) -> None:
        self._fleet = fleet
        self._capacity = capacity
        self._reconciler = reconciler
        self._audit = audit
        self._clock = clock
        self._saving: set[asyncio.Task[None]] = set()

    def run(self, entry: Entry) -> bool:
        """Want it running, in memory; True when that is a change, which is then to be stored by `Fleet.keep`.

        One step without an await, so that many who come at once never get more than there is. Raises HostFull, or
        QuotaExceeded; then nothing has changed for anybody.
        """
        leaving = self._leaving(entry)
        victims = self._capacity.victims(entry, leaving=leaving)
        changed = self._fleet.intend(entry, Desired.RUNNING, leaving=leaving)
        for victim in leaving:
            why = f"The owner's plan has no place for one more, and {entry.record.id} starts; this one was idle."
            self._stop(victim, "workspace.place_stop", why)
        for victim in victims:
            why = f"The host's memory budget is used up and {entry.record.id} starts; this one was idle the longest."
            self._stop(victim, "workspace.capacity_stop", why)
        return changed

    async def close(self) -> None:
        """Wait until every stop is stored."""
        await asyncio.gather(*self._saving, return_exceptions=True)

    def _leaving(self, entry: Entry) -> list[Entry]:
        """The owner's idle workspaces of the other runtime that have to stop so that this one is within the plan: as
        few as possible, and none when that would not help. Changes nothing."""
        if entry.record.desired in HOLDING:
            return []
        now = self._clock.monotonic()
        account = self._fleet.account(entry.record.owner)
        candidates = account.gives_way(entry.record.id, now)
        for count in range(len(candidates) + 1):
            try:
                admit(entry.limits, OneWorkspace(), account.holding(now, without=candidates[:count]))
            except QuotaExceeded:
                continue
            return candidates[:count]
        return []

    def _stop(self, victim: Entry, action: str, why: str) -> None:
        self._fleet.intend(victim, Desired.STOPPED, urgent=False)
        self._reconciler.nudge_all(victim)
        task = asyncio.create_task(self._save(victim, action, why), name=f"save {victim.record.id}")
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    async def _save(self, victim: Entry, action: str, why: str) -> None:
        """Store the stop. It holds even where the store does not take it: the memory is promised to somebody else."""
        try:
            await self._fleet.save(victim)
        except WsmgrError as error:
            log.error("stop not stored", workspace=victim.record.id, why=error.sentence)
        await self._audit.say(DAEMON, action, why, victim.record.id)
