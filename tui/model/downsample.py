"""Fewer points that keep every extreme, and lines that break where nothing was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Point(NamedTuple):
    """`at` in seconds since the epoch; `value` None: a gap."""

    at: float
    value: float | None


def downsample(points: Sequence[Point], buckets: int) -> list[Point]:
    """For each of `buckets` equal spans of time at most the least and the most, in their order in time, and the first
    gap. `points` are in order of time; so are those returned."""
    if buckets <= 0:
        return []
    if len(points) <= 2 * buckets:
        return list(points)
    first, last = points[0].at, points[-1].at
    span = (last - first) / buckets or 1.0
    found: list[Point] = []
    bucket: list[Point] = []
    number = 0
    for point in points:
        mine = min(int((point.at - first) / span), buckets - 1)
        if mine != number:
            found += _extremes(bucket)
            bucket, number = [], mine
        bucket.append(point)
    return found + _extremes(bucket)


def _extremes(bucket: Sequence[Point]) -> list[Point]:
    gap = next((point for point in bucket if point.value is None), None)
    known = [(point.value, at, point) for at, point in enumerate(bucket) if point.value is not None]
    kept = [] if gap is None else [gap]
    if known:
        low, high = min(known)[2], max(known, key=lambda one: (one[0], -one[1]))[2]
        kept += [low] if low == high else [low, high]
    return sorted(kept, key=lambda point: point.at)


def segments(points: Sequence[Point]) -> list[list[tuple[float, float]]]:
    """The lines to draw: broken at each gap."""
    lines: list[list[tuple[float, float]]] = [[]]
    for at, value in points:
        if value is None:
            lines.append([])
        else:
            lines[-1].append((at, value))
    return [line for line in lines if line]
