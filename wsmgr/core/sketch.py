"""How long runs took, as counts in buckets that grow by a tenth: small, exact to add up, and within 5 % of the truth.

The buckets are those of DDSketch (Masson, Rim, Lee, 2019, "DDSketch: a fast and fully-mergeable quantile sketch").
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping

LEAST_MS = 0.1
"""Durations up to here are in the first bucket."""
GROWTH = 1.1
LAST = 255
"""The last bucket, from 38 days on: a bucket's number fits a byte."""

_SCALE = 1 / math.log(GROWTH)
_PAIR = struct.Struct("<BH")
_MOST = 0xFFFF


def bucket_of(duration_ms: float) -> int:
    """The bucket of a duration in milliseconds."""
    if not duration_ms > LEAST_MS:
        return 0
    return min(LAST, math.ceil(math.log(duration_ms / LEAST_MS) * _SCALE))


def pack(counts: Mapping[int, int]) -> bytes:
    """Counts by bucket, in 3 bytes for each bucket that has any (and for each further 65,535 runs in it)."""
    packed = bytearray()
    for bucket, count in sorted(counts.items()):
        left = count
        while left > 0:
            packed += _PAIR.pack(bucket, min(left, _MOST))
            left -= _MOST
    return bytes(packed)


def merged(packs: Iterable[bytes]) -> dict[int, int]:
    """The counts of several packs together."""
    counts: dict[int, int] = {}
    for packed in packs:
        for bucket, count in _PAIR.iter_unpack(packed):
            counts[bucket] = counts.get(bucket, 0) + count
    return counts


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The duration in milliseconds that `share` of the runs did not exceed (nearest rank); None when none ran."""
    total = sum(counts.values())
    if not total:
        return None
    rank, seen = max(1, math.ceil(share * total)), 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= rank:
            break
    return _middle(bucket)


def _middle(bucket: int) -> float:
    """The duration whose relative distance to both ends of the bucket is the same."""
    return LEAST_MS if bucket == 0 else LEAST_MS * 2 * GROWTH**bucket / (GROWTH + 1)
