"""How a workspace comes to be wanted running: it is let in, and whoever has to make room is stopped."""

from __future__ import annotations

import asyncio

import structlog

from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.capacity import Capacity
from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.control.reconciler import Reconciler
from wsmgr.core.errors import WsmgrError
from wsmgr.core.workspace import Desired

log = structlog.get_logger(__name__)


class Wishes:
    """Owns the tasks that store the stops which nobody waits for."""

    def __init__(self, fleet: Fleet, capacity: Capacity, reconciler: Reconciler, audit: Audit) -> None:
        self._fleet = fleet
        self._capacity = capacity
        self._reconciler = reconciler
        self._audit = audit
        self._saving: set[asyncio.Task[None]] = set()

    def run(self, entry: Entry) -> bool:
        """Want it running, in memory; True when that is a change, which is then to be stored by `Fleet.keep`.

        One step without an await, so that many who come at once never get more than there is. Raises HostFull, or
        QuotaExceeded; then nothing has changed for anybody.
        """
        victims = self._capacity.victims(entry)
        changed = self._fleet.intend(entry, Desired.RUNNING)
        for victim in victims:
            self._fleet.intend(victim, Desired.STOPPED, urgent=False)
            self._reconciler.nudge_all(victim)
            task = asyncio.create_task(self._save(victim, entry), name=f"save {victim.record.id}")
            self._saving.add(task)
            task.add_done_callback(self._saving.discard)
        return changed

    async def close(self) -> None:
        """Wait until every stop is stored."""
        await asyncio.gather(*self._saving, return_exceptions=True)

    async def _save(self, victim: Entry, newcomer: Entry) -> None:
        """Store the stop. It holds even where the store does not take it: the memory is promised to somebody else."""
        try:
            await self._fleet.save(victim)
        except WsmgrError as error:
            log.error("stop not stored", workspace=victim.record.id, why=error.sentence)
        reason = f"The host's memory budget is used up and {newcomer.record.id} starts; this one was idle the longest."
        await self._audit.say(DAEMON, "workspace.capacity_stop", reason, victim.record.id)
