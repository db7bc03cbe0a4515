"""Turns for starting: at most so many creates and starts at once on an engine, fair between owners."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from wsmgr.control.unit import Unit
from wsmgr.core.ids import OwnerKey
from wsmgr.core.isolation import Isolation

Wake = Callable[[], None]


class Starts:
    """Nobody waits inside: who gets no turn is woken when it has one, and decides anew what is to be done then.

    Owners take turns, whatever the length of their queues; within one owner it is first come, first served. `size` is
    the number of turns on each engine.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lanes: dict[Isolation, _Lane] = {}

    def claim(self, unit: Unit, owner: OwnerKey, wake: Wake) -> bool:
        """True when `unit` has a turn, which `leave` ends. Else it is in the queue, once, and `wake` is called when
        it has one: it claims again then, or leaves."""
        lane = self._lanes.setdefault(unit.isolation, _Lane())
        if unit in lane.turns:
            return True
        if len(lane.turns) < self._size and not lane.owners:
            lane.turns.add(unit)
            return True
        lane.owners.setdefault(owner, OrderedDict()).setdefault(unit, wake)
        return False

    def leave(self, unit: Unit, owner: OwnerKey) -> None:
        """Give up a turn, or the place in the queue. Idempotent; on the path of every tick."""
        lane = self._lanes.get(unit.isolation)
        if lane is None:
            return
        queue = lane.owners.get(owner)
        if queue is not None and queue.pop(unit, None) is not None and not queue:
            del lane.owners[owner]
        lane.turns.discard(unit)
        lane.grant(self._size)

    def waiting(self, isolation: Isolation) -> int:
        """How many wait for a turn on that engine."""
        lane = self._lanes.get(isolation)
        return 0 if lane is None else sum(len(queue) for queue in lane.owners.values())


class _Lane:
    """One engine: who has a turn, and each owner's queue, the owner whose turn is next first."""

    def __init__(self) -> None:
        self.turns: set[Unit] = set()
        self.owners: OrderedDict[OwnerKey, OrderedDict[Unit, Wake]] = OrderedDict()

    def grant(self, size: int) -> None:
        """Give free turns away."""
        while self.owners and len(self.turns) < size:
            owner, queue = self.owners.popitem(last=False)
            unit, wake = queue.popitem(last=False)
            if queue:
                self.owners[owner] = queue
            self.turns.add(unit)
            wake()
