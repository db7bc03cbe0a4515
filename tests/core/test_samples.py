"""The ring of the newest samples."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsmgr.core.samples import Samples
from wsmgr.core.series import Counts, Point, Spread
from wsmgr.core.usage import GAUGES, Gauges

FIRST = 360_000_000
NOTHING: Gauges = (None,) * len(GAUGES)


def values(number: float) -> Gauges:
    """A value for all gauges but the last."""
    return (*(number,) * (len(GAUGES) - 1), None)


def test_a_sample_comes_back_as_a_point() -> None:
    """What was not measured too, and that is not 0."""
    samples = Samples(180, 5)
    samples.put(FIRST, values(1.5), Counts(1, 2, 3, 4), b"abc")
    (point,) = samples.points(0, FIRST)
    spreads = (*(Spread(1.5, 1.5, 1.5),) * (len(GAUGES) - 1), None)
    assert point == Point(FIRST * 5, 1, spreads, Counts(1, 2, 3, 4), b"abc")


@given(
    slots=st.lists(st.integers(0, 60), unique=True, max_size=40).map(sorted),
    length=st.integers(1, 30),
    ask=st.tuples(st.integers(-5, 65), st.integers(-5, 65)),
)
def test_it_has_the_newest_of_what_was_put(slots: list[int], length: int, ask: tuple[int, int]) -> None:
    """As many slots as it is long, whatever was missed between; of them those that are asked for."""
    samples = Samples(length, 5)
    for slot in slots:
        samples.put(FIRST + slot, values(slot), Counts(), b"")
    first, last = ask
    expected = [slot for slot in slots if slot > max(slots) - length and first <= slot <= last]
    found = list(samples.points(FIRST + first, FIRST + last))
    assert [point.at // 5 - FIRST for point in found] == expected


def test_a_sample_of_the_same_slot_replaces_the_first() -> None:
    """It is not there twice."""
    samples = Samples(10, 5)
    samples.put(FIRST, values(1), Counts(executions=1), b"")
    samples.put(FIRST, values(2), Counts(), b"")
    (point,) = samples.points(FIRST, FIRST)
    assert point.spreads[0] == Spread(2, 2, 2)
    assert point.counts == Counts()


def test_a_clock_that_was_set_back_begins_anew() -> None:
    """Nothing is refused until the old time is reached again; a little back is another slot."""
    samples = Samples(10, 5)
    samples.put(FIRST, values(1), Counts(), b"")
    samples.put(FIRST - 5, values(2), Counts(), b"")
    assert len(list(samples.points(0, FIRST))) == 2
    samples.put(FIRST - 720, values(3), Counts(), b"")
    assert [point.at // 5 for point in samples.points(0, FIRST)] == [FIRST - 720]
    assert samples.newest == FIRST - 720


def test_five_hundred_workspaces_cost_less_than_25_mb() -> None:
    """Full rings, each sample with runs in a dozen buckets: the arrays and the packs, by their own word."""
    samples = Samples(180, 5)
    for slot in range(180):
        samples.put(FIRST + slot, values(slot), Counts(), bytes(range(36)))
    parts = (samples._slots, samples._gauges, samples._counts, samples._durations)
    cost = sum(map(sys.getsizeof, parts)) + sum(map(sys.getsizeof, samples._durations))
    assert 500 * cost < 25e6


@pytest.mark.parametrize("odd", [1e30, -1.0])
def test_any_number_can_be_kept(odd: float) -> None:
    """A counter that ran wild must not end the sampler."""
    samples = Samples(10, 5)
    samples.put(FIRST, (odd,) * len(GAUGES), Counts(), b"")
    (point,) = samples.points(FIRST, FIRST)
    assert point.spreads[0] is not None
    assert point.spreads[0].avg == pytest.approx(odd)
