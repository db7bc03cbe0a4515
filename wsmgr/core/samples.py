"""The newest samples of one workspace, in arrays: a ring that is addressed by time."""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Iterator

from wsmgr.core.series import Counts, Point, Spread
from wsmgr.core.usage import GAUGES, Gauges

_WIDTH = len(GAUGES)
_COUNTS = 4
_GAUGES = struct.Struct(f"@{_WIDTH}f")
_FOUR = struct.Struct(f"@{_COUNTS}I")
_NEVER = 0


class Samples:
    """One sample for each slot of `period_s` seconds; a slot's number is its time since the epoch in periods. Of the
    newest `length` slots those that were put are there; about 65 bytes each."""

    def __init__(self, length: int, period_s: int) -> None:
        self._length = length
        self._period_s = period_s
        self._slots = array("I", [_NEVER]) * length
        # Gauges with 24 bits, which is more than they are measured with; NaN: not measured.
        self._gauges = array("f", [math.nan]) * (length * _WIDTH)
        self._counts = array("I", [0]) * (length * _COUNTS)
        self._durations: list[bytes] = [b""] * length
        self.newest = _NEVER

    def put(self, slot: int, gauges: Gauges, counts: Counts, durations: bytes) -> None:
        """Keep a sample; another one in the same slot is replaced. One that is older than the ring makes it new: the
        clock was set back, and what was put before is of a time that is still to come."""
        if slot <= self.newest - self._length:
            self._slots = array("I", [_NEVER]) * self._length
            self.newest = _NEVER
        place = slot % self._length
        self._slots[place] = slot
        values = [math.nan if value is None else value for value in gauges]
        _GAUGES.pack_into(self._gauges, place * _GAUGES.size, *values)
        four = (counts.oom_kills, counts.executions, counts.errors, counts.restarts)
        _FOUR.pack_into(self._counts, place * _FOUR.size, *four)
        self._durations[place] = durations
        self.newest = max(self.newest, slot)

    def points(self, first: int, last: int) -> Iterator[Point]:
        """The samples of the slots from `first` to `last`, oldest first."""
        for slot in range(max(first, self.newest - self._length + 1), min(last, self.newest) + 1):
            place = slot % self._length
            if self._slots[place] == slot:
                yield self._point(slot, place)

    def _point(self, slot: int, place: int) -> Point:
        values = self._gauges[place * _WIDTH : (place + 1) * _WIDTH]
        return Point(
            at=slot * self._period_s,
            samples=1,
            spreads=tuple(None if math.isnan(value) else Spread(value, value, value) for value in values),
            counts=Counts(*self._counts[place * _COUNTS : (place + 1) * _COUNTS]),
            durations=self._durations[place],
        )
