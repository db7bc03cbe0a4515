"""A token bucket: so many calls a second in the long run, and so many at once after a pause."""

from __future__ import annotations

from typing import NamedTuple

from wsmgr.core.limits import Limits


class Bucket(NamedTuple):
    """`tokens` at the time `at`, in seconds of a clock that never goes back. A tuple: every call makes two of them."""

    tokens: float
    at: float


def refilled(bucket: Bucket | None, limits: Limits, now: float) -> Bucket:
    """The bucket as it is now; None: a full one. Never fuller than the burst, also when that has shrunk."""
    if bucket is None:
        return Bucket(float(limits.rate_burst), now)
    gained = max(0.0, now - bucket.at) * limits.rate_per_s
    return Bucket(min(float(limits.rate_burst), bucket.tokens + gained), now)


def spent(bucket: Bucket) -> Bucket:
    """The bucket with one token less."""
    return Bucket(bucket.tokens - 1.0, bucket.at)
