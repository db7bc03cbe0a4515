"""Counters to rates: right across restarts, missing samples, and what this host cannot say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsmgr.core.limits import FREE, NO_PLAN
from wsmgr.core.usage import GAUGES, Gauges, Reading, Share, Spent, gauges, spent

READING = Reading(
    incarnation="a",
    cpu_s=10.0,
    memory_bytes=64 * 2**20,
    network_in_bytes=1000,
    network_out_bytes=500,
    pids=12,
    throttled_s=1.0,
    oom_kills=0,
    scratch_bytes=2**20,
)
LIMITS = FREE.limits


def named(values: Gauges) -> dict[str, float | None]:
    """By their names."""
    return dict(zip(GAUGES, values, strict=True))


def test_what_is_new_was_spent() -> None:
    """Counter by counter."""
    after = replace(READING, cpu_s=11.5, network_in_bytes=1100, throttled_s=3.0, oom_kills=2)
    assert spent(READING, after) == Spent(
        cpu_s=1.5, network_in_bytes=100, network_out_bytes=0, throttled_s=2.0, oom_kills=2
    )


@pytest.mark.parametrize("before", [None, replace(READING, incarnation="b")], ids=["first", "another container"])
def test_a_new_container_counts_from_nothing(before: Reading | None) -> None:
    """Not from what the one before it had, which may be more or less."""
    assert spent(before, READING) == Spent(
        cpu_s=10.0, network_in_bytes=1000, network_out_bytes=500, throttled_s=1.0, oom_kills=0
    )


def test_a_counter_that_goes_back_counts_nothing() -> None:
    """A process that nobody waited for takes its time with it."""
    assert spent(READING, replace(READING, cpu_s=9.0)).cpu_s == 0.0


@pytest.mark.parametrize("name", ["cpu_s", "network_in_bytes", "network_out_bytes", "throttled_s", "oom_kills"])
def test_what_was_not_measured_at_both_ends_is_not_known(name: str) -> None:
    """None, and not all that it ever was."""
    unknown: dict[str, Any] = {name: None}
    without = replace(READING, **unknown)
    assert getattr(spent(READING, without), name) is None
    assert getattr(spent(without, READING), name) is None


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 10**9)), min_size=1, max_size=40))
def test_all_that_was_spent_is_all_that_was_used(steps: list[tuple[bool, int]]) -> None:
    """Over any restarts: the sum over every container is what they counted in the end."""
    before: Reading | None = None
    number = counter = total = used = 0
    for restarts, more in steps:
        if restarts:
            number, counter = number + 1, 0
        counter += more
        used += more
        after = Reading(incarnation=f"{number}", network_in_bytes=counter)
        total += spent(before, after).network_in_bytes or 0
        before = after
    assert total == used


def test_rates_are_by_the_time_that_passed() -> None:
    """Also when samples were missed: the same use in 5 s and in 20 s."""
    used = Spent(cpu_s=2.5, network_in_bytes=1000, network_out_bytes=0, throttled_s=1.0)
    short, long = named(gauges(READING, used, 5.0, LIMITS)), named(gauges(READING, used, 20.0, LIMITS))
    assert (short["cpu_percent"], long["cpu_percent"]) == (50.0, 12.5)
    assert (short["cpu_of_limit_percent"], long["cpu_of_limit_percent"]) == (200.0, 50.0)
    assert (short["network_in_bytes_per_s"], long["network_in_bytes_per_s"]) == (200.0, 50.0)
    assert (short["throttled_percent"], long["throttled_percent"]) == (20.0, 5.0)
    assert (short["memory_mb"], short["memory_limit_mb"], short["pids"], short["scratch_mb"]) == (64, 128, 12, 1)


def test_without_a_time_there_are_no_rates() -> None:
    """What does not need one is there."""
    values = named(gauges(READING, Spent(cpu_s=2.5), None, LIMITS))
    assert (values["cpu_percent"], values["cpu_of_limit_percent"], values["memory_mb"]) == (None, None, 64)


def test_waiting_on_several_cores_is_not_more_than_all_the_time() -> None:
    """The kernel counts it for each core."""
    assert named(gauges(READING, Spent(throttled_s=12.0), 5.0, LIMITS))["throttled_percent"] == 100.0


def test_what_the_host_cannot_say_is_none() -> None:
    """And never 0."""
    values = named(gauges(Reading(incarnation="a"), Spent(), 5.0, NO_PLAN.limits))
    assert {name for name, value in values.items() if value is not None} == {"memory_limit_mb"}


def test_shares_add_up() -> None:
    """Member by member."""
    one = Share(
        cpu_s=1.0, memory_mb_s=2.0, network_in_bytes=3, network_out_bytes=4, executions=5, errors=6
    )  # fmt: skip
    assert one + one == Share(
        cpu_s=2.0, memory_mb_s=4.0, network_in_bytes=6, network_out_bytes=8, executions=10, errors=12
    )
