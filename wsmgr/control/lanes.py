"""The order in which queued calls are started: owners take turns, within one owner it is first come, first served."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from wsmgr.core.execution import Execution
from wsmgr.core.ids import ExecutionId, OwnerKey, owner_of


@dataclass(slots=True, eq=False)
class Waiting:
    """A call in the queue. `due`: not before then, on the monotonic clock; `tried`: since when it is tried, None when
    it was not yet; `failures`: how often it could not be started; `cancelled`: not to be started any more."""

    record: Execution
    due: float = 0.0
    tried: float | None = None
    failures: int = 0
    cancelled: bool = False

    @property
    def owner(self) -> OwnerKey:
        """Whose it is."""
        return owner_of(self.record.workspace)


class Lanes:
    """In memory, a few hundred bytes a call; what is to be run is in the store. A call that was taken counts for its
    owner until it is given back or gone."""

    def __init__(self) -> None:
        self._known: dict[ExecutionId, Waiting] = {}
        self._lanes: OrderedDict[OwnerKey, OrderedDict[ExecutionId, Waiting]] = OrderedDict()
        self._taken: set[ExecutionId] = set()
        self._running: Counter[OwnerKey] = Counter()
        self._late: dict[ExecutionId, Waiting] = {}

    def __len__(self) -> int:
        return len(self._known) - len(self._taken)

    @property
    def taken(self) -> int:
        """How many are being started or run."""
        return len(self._taken)

    def find(self, execution: ExecutionId) -> Waiting | None:
        """The call, waiting or taken."""
        return self._known.get(execution)

    def of(self, owner: OwnerKey) -> int:
        """How many of that owner's wait."""
        return len(self._lanes.get(owner, ()))

    def add(self, waiting: Waiting) -> None:
        """To the end of its owner's lane."""
        self._known[waiting.record.id] = waiting
        self._lanes.setdefault(waiting.owner, OrderedDict())[waiting.record.id] = waiting

    def take(self, now: float, most: Mapping[OwnerKey, int], at_once: int) -> Waiting | None:
        """The next one that is due, of an owner of whose fewer than `most` (and `at_once` in any case) are taken. The
        owner comes last from then on."""
        for owner, lane in self._lanes.items():
            if self._running[owner] >= min(most.get(owner, at_once), at_once):
                continue
            ready = next((one for one in lane.values() if one.due <= now), None)
            if ready is not None:
                self._leave(ready)
                if owner in self._lanes:
                    self._lanes.move_to_end(owner)
                self._taken.add(ready.record.id)
                self._running[owner] += 1
                return ready
        return None

    def next_due(self, now: float) -> float | None:
        """When the next one that may not be started yet may be, None when there is none such."""
        return min((one.due for one in self._late.values() if one.due > now), default=None)

    def give_back(self, waiting: Waiting, due: float) -> None:
        """It could not be started: it waits until then, before those that came later."""
        self.gone(waiting)
        waiting.due = due
        self.add(waiting)
        self._lanes[waiting.owner].move_to_end(waiting.record.id, last=False)
        self._late[waiting.record.id] = waiting

    def gone(self, waiting: Waiting) -> None:
        """It is over. Idempotent."""
        if waiting.record.id in self._taken:
            self._taken.remove(waiting.record.id)
            self._running[waiting.owner] -= 1
            if not self._running[waiting.owner]:
                del self._running[waiting.owner]
        self._leave(waiting)
        self._known.pop(waiting.record.id, None)

    def _leave(self, waiting: Waiting) -> None:
        self._late.pop(waiting.record.id, None)
        lane = self._lanes.get(waiting.owner)
        if lane is not None and lane.pop(waiting.record.id, None) is not None and not lane:
            del self._lanes[waiting.owner]
