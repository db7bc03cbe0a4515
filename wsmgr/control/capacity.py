"""The memory that workspaces hold, or will hold, against the host's budget."""

from __future__ import annotations

from collections.abc import Collection

from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.core.capacity import Holder, make_room
from wsmgr.core.errors import HostFull
from wsmgr.core.workspace import HOLDING, Created, Running
from wsmgr.ports.clock import Clock

FULL_FOR_S = 60.0
"""The host counts as full as long as somebody was refused within this time."""


class Capacity:
    """Counts what plans promise, not what is used at the moment. `budget_mb` None: no budget is kept."""

    def __init__(self, fleet: Fleet, clock: Clock, budget_mb: float | None) -> None:
        self._fleet = fleet
        self._clock = clock
        self._budget_mb = budget_mb
        self._refused: tuple[float, str] | None = None

    @property
    def full(self) -> str | None:
        """Why a workspace was refused a place lately; None when none was."""
        if self._refused is None or self._clock.monotonic() - self._refused[0] >= FULL_FOR_S:
            return None
        return self._refused[1]

    @property
    def budget_mb(self) -> float | None:
        """MiB that running workspaces may be promised."""
        return self._budget_mb

    def held_mb(self) -> int:
        """MiB that those which count are promised."""
        return sum(entry.limits.memory_mb for entry in self._fleet if self.holds(entry))

    def holds(self, entry: Entry) -> bool:
        """Whether it counts: it is wanted running or paused, and not given up."""
        return entry.record.desired in HOLDING and not entry.serving.exhausted

    def victims(self, entry: Entry, leaving: Collection[Entry] = ()) -> list[Entry]:
        """Who has to stop so that `entry` may run, besides those that are `leaving` anyway; changes nothing. Raises
        HostFull.

        The caller acts on it without an await in between: then no two workspaces get the same place.
        """
        if self._budget_mb is None or self.holds(entry):
            return []
        now = self._clock.monotonic()
        holders = [
            Holder(e.record.id, e.limits.memory_mb, now - e.active_mono, e.attending > 0)
            for e in self._fleet
            if e is not entry and e not in leaving and self.holds(e)
        ]
        try:
            going = make_room(holders, needed_mb=entry.limits.memory_mb, budget_mb=self._budget_mb)
        except HostFull as error:
            self._refused = (now, error.sentence)
            raise
        return [self._fleet.get(workspace) for workspace in going]

    def room(self, entry: Entry) -> bool:
        """False while those that have to stop still hold memory that those who were let in are going to need: of the
        host, or of the owner's places."""
        return self._place(entry) and self._host_room()

    def _place(self, entry: Entry) -> bool:
        every = self._fleet.of_owner(entry.record.owner)
        leaving = sum(_runs(one) for one in every if not self.holds(one))
        return not leaving or leaving + sum(map(self.holds, every)) <= entry.limits.max_workspaces

    def _host_room(self) -> bool:
        if self._budget_mb is None:
            return True
        wanted = leaving = 0
        for entry in self._fleet:
            if self.holds(entry):
                wanted += entry.limits.memory_mb
            elif _runs(entry):
                leaving += entry.limits.memory_mb
        return not leaving or wanted + leaving <= self._budget_mb


def _runs(entry: Entry) -> bool:
    """Whether it runs, or may in a moment: what is made may be in the middle of its start."""
    return any(
        isinstance(what, Created | Running) for unit in entry.units.values() for what in (unit.observed, unit.belief)
    )
