"""Fewer points: nothing that was seen is lost, and nothing is invented."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsmgr.core.series import Bucket, Counts, Point, Spread, Window, downsample, merge, window
from wsmgr.core.sketch import merged, pack

NOW = 1_800_000_000
VALUES = st.floats(0, 1e9, width=32)


def point(at: int, *values: float | None, samples: int = 1, executions: int = 0, durations: bytes = b"") -> Point:
    """One with these gauges."""
    spreads = tuple(None if value is None else Spread(value, value, value) for value in values)
    return Point(at, samples, spreads, Counts(executions=executions), durations)


@st.composite
def points(draw: st.DrawFn) -> list[Point]:
    """A sample in some slots of 5 s, with one gauge that is not always there."""
    slots = draw(st.lists(st.integers(0, 400), unique=True, max_size=60).map(sorted))
    return [
        point(
            NOW + 5 * slot,
            draw(st.none() | VALUES),
            executions=draw(st.integers(0, 5)),
            durations=pack(draw(st.dictionaries(st.integers(0, 255), st.integers(1, 9), max_size=3))),
        )
        for slot in slots
    ]


@given(all_points=points(), step=st.sampled_from([5, 15, 60, 300]))
def test_what_was_seen_is_in_the_buckets(all_points: list[Point], step: int) -> None:
    """The least, the most, the mean, every event, every duration; and no bucket without a point."""
    buckets = list(downsample(all_points, Window(NOW, step, 2005 // step + 1)))
    assert all(bucket.point.at % step == NOW % step for bucket in buckets)
    for bucket in buckets:
        inside = [one for one in all_points if bucket.point.at <= one.at < bucket.point.at + step]
        assert inside
        seen = [one.spreads[0].avg for one in inside if one.spreads[0] is not None]
        spread = bucket.point.spreads[0]
        if not seen:
            assert spread is None
            continue
        assert spread is not None
        assert (spread.min, spread.max) == (min(seen), max(seen))
        assert spread.avg == pytest.approx(sum(seen) / len(seen))
        assert spread.min <= spread.avg <= spread.max
    assert sum(one.point.samples for one in buckets) == len(all_points)
    assert sum(one.point.counts.executions for one in buckets) == sum(one.counts.executions for one in all_points)
    assert merged(one.point.durations for one in buckets) == merged(one.durations for one in all_points)


@given(all_points=points(), step=st.sampled_from([15, 60]))
def test_a_gap_is_marked_where_nothing_was_sampled(all_points: list[Point], step: int) -> None:
    """And nowhere else."""
    of = Window(NOW, step, 2005 // step + 1)
    buckets = list(downsample(all_points, of))
    for one, following in pairwise(buckets):
        assert one.gap_after == (following.point.at > one.point.at + step)
    if buckets:
        assert buckets[-1].gap_after == (buckets[-1].point.at < of.end - 2 * step)


@given(all_points=points())
def test_by_way_of_minutes_it_is_the_same(all_points: list[Point]) -> None:
    """Roll-ups of roll-ups: the least, the most and the counts, and the mean by the number of samples."""
    whole = [one for one in all_points if one.spreads[0] is not None]
    start = NOW - NOW % 60
    minutes = [one.point for one in downsample(whole, Window(start, 60, 60))]
    at_once = [one.point for one in downsample(whole, Window(start, 900, 4))]
    by_minutes = [one.point for one in downsample(minutes, Window(start, 900, 4))]
    assert [(one.at, one.samples, one.counts) for one in by_minutes] == [
        (one.at, one.samples, one.counts) for one in at_once
    ]
    for one, other in zip(by_minutes, at_once, strict=True):
        assert one.spreads[0] is not None
        assert other.spreads[0] is not None
        assert (one.spreads[0].min, one.spreads[0].max) == (other.spreads[0].min, other.spreads[0].max)
        assert one.spreads[0].avg == pytest.approx(other.spreads[0].avg)


def test_a_spike_survives_a_day() -> None:
    """One sample of 100 % among a day of nothing is the most of its bucket."""
    minutes = [point(NOW + 60 * number, 100.0 if number == 700 else 0.0) for number in range(1440)]
    buckets = list(downsample(minutes, window(86_400, 90, 60, NOW + 86_400)))
    assert len(buckets) == 90
    assert max(one.point.spreads[0].max for one in buckets if one.point.spreads[0]) == 100.0


def test_what_is_outside_of_the_window_is_left_out() -> None:
    """On both sides."""
    of = Window(NOW, 5, 2)
    inside = [point(NOW, 1.0), point(NOW + 5, 2.0)]
    every = [point(NOW - 5, 9.0), *inside, point(NOW + 10, 9.0)]
    assert list(downsample(every, of)) == [Bucket(one, gap_after=False) for one in inside]


@given(
    range_s=st.sampled_from([900, 3600, 6 * 3600, 24 * 3600]),
    most=st.integers(1, 2000),
    period_s=st.sampled_from([1, 5, 7, 60]),
    now=st.integers(NOW, NOW + 10_000),
)
def test_a_window_has_at_most_so_many_buckets(range_s: int, most: int, period_s: int, now: int) -> None:
    """Of whole periods, on a grid that does not move with the clock, and it reaches to now and far enough back."""
    of = window(range_s, most, period_s, now)
    assert 1 <= of.count <= most
    assert of.step_s % period_s == 0
    assert of.start % of.step_s == 0
    assert of.end - of.step_s < now <= of.end
    assert of.end - of.start >= range_s
    assert now - of.start > range_s - of.step_s


def test_one_point_is_itself() -> None:
    """But for where it begins."""
    one = point(NOW + 5, 1.0, None, executions=2, durations=pack({3: 1}))
    assert merge([one], NOW) == Point(NOW, 1, one.spreads, one.counts, one.durations)
