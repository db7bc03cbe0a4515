"""The token bucket, whatever the times at which it is asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wsmgr.core.limit_table import overridden
from wsmgr.core.limits import FREE, Limits
from wsmgr.core.rate import Bucket, refilled, spent


def _limits(rate: float, burst: int) -> Limits:
    return overridden(FREE.limits, {"ratePerSecond": rate, "rateBurst": burst})


def test_a_bucket_is_full_at_first_and_refills_up_to_its_burst() -> None:
    """And no further."""
    limits = _limits(2.0, 3)
    bucket = refilled(None, limits, 100.0)
    assert bucket == Bucket(3.0, 100.0)
    for _ in range(3):
        bucket = spent(bucket)
    assert refilled(bucket, limits, 100.5).tokens == 1.0
    assert refilled(bucket, limits, 1000.0).tokens == 3.0


def test_a_smaller_burst_holds_at_once() -> None:
    """Tokens of before are no more than it."""
    assert refilled(Bucket(50.0, 1.0), _limits(1.0, 5), 1.0).tokens == 5.0


def test_a_clock_that_goes_back_gives_and_takes_nothing() -> None:
    """It should not; nobody is punished for it."""
    assert refilled(Bucket(2.0, 10.0), _limits(1.0, 5), 5.0).tokens == 2.0


@given(
    rate=st.floats(0.1, 1000),
    burst=st.integers(1, 50),
    pauses=st.lists(st.floats(0, 3) | st.just(0.0), max_size=200),
)
def test_no_more_is_let_in_than_burst_and_rate_allow(rate: float, burst: int, pauses: list[float]) -> None:
    """Over the whole time and over every part of it; and whoever waits as long as he is told is let in."""
    limits = _limits(rate, burst)
    now, bucket, taken = 0.0, None, []
    for pause in pauses:
        now += pause
        bucket = refilled(bucket, limits, now)
        if bucket.tokens >= 1.0:
            bucket = spent(bucket)
            taken.append(now)
        else:
            told = now + (1.0 - bucket.tokens) / rate
            assert refilled(bucket, limits, told + 1e-6).tokens >= 1.0
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + rate * (taken[last] - start) + 1e-6
