"""The memory that workspaces hold, or will hold, against the host's budget."""

from __future__ import annotations

from wsmgr.control.fleet import Entry, Fleet
from wsmgr.core.capacity import Holder, make_room
from wsmgr.core.workspace import Desired, Running
from wsmgr.ports.clock import Clock


class Capacity:
    """Counts what plans promise, not what is used at the moment. `budget_mb` None: no budget is kept."""

    def __init__(self, fleet: Fleet, clock: Clock, budget_mb: float | None) -> None:
        self._fleet = fleet
        self._clock = clock
        self._budget_mb = budget_mb

    @property
    def budget_mb(self) -> float | None:
        """MiB that running workspaces may be promised."""
        return self._budget_mb

    def held_mb(self) -> int:
        """MiB that those which count are promised."""
        return sum(entry.limits.memory_mb for entry in self._fleet if self.holds(entry))

    def holds(self, entry: Entry) -> bool:
        """Whether it counts: it is wanted running, and not given up."""
        return entry.record.desired is Desired.RUNNING and not entry.serving.exhausted

    def victims(self, entry: Entry) -> list[Entry]:
        """Who has to stop so that `entry` may run; changes nothing. Raises HostFull.

        The caller acts on it without an await in between: then no two workspaces get the same place.
        """
        if self._budget_mb is None or self.holds(entry):
            return []
        now = self._clock.monotonic()
        holders = [
            Holder(e.record.id, e.limits.memory_mb, now - e.active_mono, e.attending > 0)
            for e in self._fleet
            if e is not entry and self.holds(e)
        ]
        going = make_room(holders, needed_mb=entry.limits.memory_mb, budget_mb=self._budget_mb)
        return [self._fleet.get(workspace) for workspace in going]

    def room(self) -> bool:
        """False while those that have to stop still hold memory that those who were let in are going to need."""
        if self._budget_mb is None:
            return True
        wanted = leaving = 0
        for entry in self._fleet:
            if self.holds(entry):
                wanted += entry.limits.memory_mb
            elif any(isinstance(unit.observed, Running) for unit in entry.units.values()):
                leaving += entry.limits.memory_mb
        return not leaving or wanted + leaving <= self._budget_mb
