"""Points in time of what a workspace used, and fewer of them: the least, the mean and the most of each bucket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from wsmgr.core.sketch import merged, pack


class Spread(NamedTuple):
    """What was seen of a gauge. A tuple, because a day has thousands."""

    min: float
    avg: float
    max: float


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened."""

    oom_kills: int = 0
    executions: int = 0
    errors: int = 0
    restarts: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.oom_kills + other.oom_kills,
            self.executions + other.executions,
            self.errors + other.errors,
            self.restarts + other.restarts,
        )


@dataclass(frozen=True, slots=True)
class Point:
    """What was sampled from `at` (seconds since the epoch) on. `samples`: how many went into it, by which means are
    weighted; `spreads` are in the order of usage.GAUGES, None where nothing was measured; `durations` a packed sketch
    of how long runs took."""

    at: int
    samples: int
    spreads: tuple[Spread | None, ...]
    counts: Counts
    durations: bytes = b""


@dataclass(frozen=True, slots=True)
class Window:
    """`count` buckets of `step_s` seconds each, from `start` (seconds since the epoch, a multiple of the step) on."""

    start: int
    step_s: int
    count: int

    @property
    def end(self) -> int:
        """Where the newest bucket ends."""
        return self.start + self.step_s * self.count


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket with something in it. `gap_after`: the next one is empty."""

    point: Point
    gap_after: bool


def window(range_s: int, most: int, period_s: int, now: int) -> Window:
    """The buckets of the last `range_s` seconds before `now`: at most `most` of them, each as long as whole periods."""
    step_s = period_s * -(-range_s // (most * period_s))
    count = -(-range_s // step_s)
    end = -(-now // step_s) * step_s
    return Window(end - count * step_s, step_s, count)


def downsample(points: Iterable[Point], of: Window) -> Iterator[Bucket]:
    """The buckets that have points, oldest first. `points` are sorted by time; those outside the window are left out.

    The newest bucket may not be filled yet, so that its lack alone makes no gap.
    """
    inside = (point for point in points if of.start <= point.at < of.end)
    held: tuple[int, Point] | None = None
    for index, group in groupby(inside, key=lambda point: (point.at - of.start) // of.step_s):
        if held is not None:
            yield Bucket(held[1], gap_after=index > held[0] + 1)
        held = index, merge(list(group), of.start + index * of.step_s)
    if held is not None:
        yield Bucket(held[1], gap_after=held[0] < of.count - 2)


def merge(points: Sequence[Point], at: int) -> Point:
    """Several points (one at least) as one that begins at `at`."""
    return Point(
        at=at,
        samples=sum(point.samples for point in points),
        spreads=tuple(_together(points, gauge) for gauge in range(len(points[0].spreads))),
        counts=sum((point.counts for point in points), Counts()),
        durations=_durations([point.durations for point in points if point.durations]),
    )


def _together(points: Sequence[Point], gauge: int) -> Spread | None:
    least = most = None
    total, weight = 0.0, 0
    for point in points:
        spread = point.spreads[gauge]
        if spread is None:
            continue
        least = spread.min if least is None or spread.min < least else least
        most = spread.max if most is None or spread.max > most else most
        total += spread.avg * point.samples
        weight += point.samples
    if least is None or most is None:
        return None
    # Rounding must not put the mean outside of what was seen.
    return Spread(least, min(max(total / weight, least), most), most)


def _durations(packs: Sequence[bytes]) -> bytes:
    return packs[0] if len(packs) == 1 else pack(merged(packs))
