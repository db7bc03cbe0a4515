"""Fewer points, and no extreme lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.model.downsample import Point, downsample, segments

VALUES = st.lists(st.none() | st.floats(-1e6, 1e6), max_size=300)


def _points(values: list[float | None]) -> list[Point]:
    return [Point(float(at), value) for at, value in enumerate(values)]


@given(VALUES, st.integers(1, 50))
def test_extremes_stay_and_points_are_few(values: list[float | None], buckets: int) -> None:
    """In order of time, at most three for each bucket."""
    points = _points(values)
    found = downsample(points, buckets)
    assert len(found) <= max(3 * buckets, 0)
    assert [one.at for one in found] == sorted(one.at for one in found)
    assert set(found) <= set(points)
    known = [value for value in values if value is not None]
    kept = [one.value for one in found if one.value is not None]
    if known:
        assert (min(kept), max(kept)) == (min(known), max(known))
    else:
        assert not kept


def test_a_gap_stays_a_gap() -> None:
    """Also where its bucket has values."""
    values: list[float | None] = [1.0] * 40 + [None] + [2.0] * 40
    assert len(segments(downsample(_points(values), 4))) == 2


def test_no_room() -> None:
    """Nothing is drawn."""
    assert downsample(_points([1.0, 2.0]), 0) == []


def test_lines_break_where_nothing_was_measured() -> None:
    """And gaps at the ends make no empty lines."""
    found = segments(_points([None, 1.0, 2.0, None, None, 3.0, None]))
    assert found == [[(1.0, 1.0), (2.0, 2.0)], [(5.0, 3.0)]]
