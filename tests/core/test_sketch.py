"""Durations as counts in buckets: small, exact to add up, close to the truth."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsmgr.core.sketch import LAST, LEAST_MS, bucket_of, merged, pack, quantile

DURATIONS = st.floats(LEAST_MS, 24 * 3600 * 1000.0)


def counted(durations: list[float]) -> dict[int, int]:
    """As a tally does it."""
    counts: dict[int, int] = {}
    for duration in durations:
        counts[bucket_of(duration)] = counts.get(bucket_of(duration), 0) + 1
    return counts


def true_quantile(durations: list[float], share: float) -> float:
    """By nearest rank, from all of them."""
    return sorted(durations)[max(1, math.ceil(share * len(durations))) - 1]


@given(durations=st.lists(DURATIONS, min_size=1, max_size=200), share=st.sampled_from([0.5, 0.95, 1.0]))
def test_a_quantile_is_within_five_percent(durations: list[float], share: float) -> None:
    """Of what sorting all of them gives."""
    found = quantile(counted(durations), share)
    assert found == pytest.approx(true_quantile(durations, share), rel=0.05)


@given(parts=st.lists(st.lists(DURATIONS, max_size=50), max_size=6))
def test_parts_add_up_to_the_whole(parts: list[list[float]]) -> None:
    """A minute is its samples, to the last run."""
    whole = counted([duration for part in parts for duration in part])
    assert merged(pack(counted(part)) for part in parts) == whole


@given(counts=st.dictionaries(st.integers(0, LAST), st.integers(1, 10**6), max_size=256))
def test_what_is_packed_comes_back(counts: dict[int, int]) -> None:
    """Also more runs than a pair of bytes can count."""
    packed = pack(counts)
    assert merged([packed]) == counts
    assert len(packed) <= 3 * sum(1 + count // 0xFFFF for count in counts.values())


@pytest.mark.parametrize("odd", [0.0, -1.0, math.nan, LEAST_MS])
def test_what_takes_no_time_is_in_the_first_bucket(odd: float) -> None:
    """Whatever a clock says."""
    assert bucket_of(odd) == 0


def test_what_takes_for_ever_is_in_the_last() -> None:
    """A bucket's number fits a byte."""
    assert bucket_of(1e30) == LAST


def test_there_is_no_quantile_of_nothing() -> None:
    """And no 0 that would look like one."""
    assert quantile({}, 0.5) is None
