"""The idle ladder's decision."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsmgr.core.idle import Idleness, Rung, verdict
from wsmgr.core.workspace import Desired

SECONDS = st.integers(0, 10_000_000).map(float)
WORLDS = st.builds(
    Idleness,
    desired=st.sampled_from(Desired),
    idle_s=SECONDS,
    unused_s=SECONDS,
    attending=st.integers(0, 2),
    exhausted=st.booleans(),
    freezable=st.booleans(),
    pause_after_s=SECONDS,
    idle_timeout_s=SECONDS,
    retention_s=SECONDS,
)
CALM = Idleness(
    desired=Desired.RUNNING,
    idle_s=0.0,
    unused_s=0.0,
    attending=0,
    exhausted=False,
    freezable=True,
    pause_after_s=0.0,
    idle_timeout_s=60.0,
    retention_s=1000.0,
)


@given(world=WORLDS, more=SECONDS)
def test_the_ladder_is_monotone_in_idle_time(world: Idleness, more: float) -> None:
    """Whoever is idle for longer is never on a higher rung."""
    later = replace(world, idle_s=world.idle_s + more, unused_s=world.unused_s + more)
    assert verdict(later).rung >= verdict(world).rung


@given(world=WORLDS)
def test_the_next_rung_comes_exactly_when_it_was_said(world: Idleness) -> None:
    """Not a moment before; and nothing is due without a sentence."""
    now = verdict(world)
    assert now.reason.endswith(".")
    if now.next_s is None:
        return
    assert now.rung is Rung.KEEP
    assert now.next_s > 0

    def after(seconds: float) -> Rung:
        return verdict(replace(world, idle_s=world.idle_s + seconds, unused_s=world.unused_s + seconds)).rung

    assert after(now.next_s) is not Rung.KEEP
    assert after(now.next_s - 0.5) is Rung.KEEP


@given(world=WORLDS, attending=st.integers(1, 100))
def test_nothing_happens_under_a_call(world: Idleness, attending: int) -> None:
    """However long it takes."""
    assert verdict(replace(world, attending=attending)).rung is Rung.KEEP


@pytest.mark.parametrize(
    ("world", "rung", "next_s"),
    [
        (CALM, Rung.KEEP, 60.0),
        (replace(CALM, idle_s=59.0), Rung.KEEP, 1.0),
        (replace(CALM, idle_s=60.0), Rung.STOP, None),
        (replace(CALM, idle_s=60.0, attending=1), Rung.KEEP, None),
        (replace(CALM, idle_s=60.0, exhausted=True), Rung.KEEP, None),
        (replace(CALM, idle_s=60.0, idle_timeout_s=0.0), Rung.KEEP, None),
        (replace(CALM, unused_s=5000.0), Rung.KEEP, 60.0),
        (replace(CALM, pause_after_s=15.0), Rung.KEEP, 15.0),
        (replace(CALM, pause_after_s=15.0, idle_s=15.0), Rung.PAUSE, None),
        (replace(CALM, pause_after_s=15.0, idle_s=15.0, freezable=False), Rung.KEEP, 45.0),
        (replace(CALM, pause_after_s=15.0, idle_s=60.0), Rung.STOP, None),
        (replace(CALM, pause_after_s=15.0, idle_timeout_s=0.0), Rung.KEEP, 15.0),
        (replace(CALM, desired=Desired.PAUSED, pause_after_s=15.0, idle_s=20.0), Rung.KEEP, 40.0),
        (replace(CALM, desired=Desired.PAUSED, pause_after_s=15.0, idle_s=60.0), Rung.STOP, None),
        (replace(CALM, desired=Desired.PAUSED, idle_s=60.0, idle_timeout_s=0.0), Rung.KEEP, None),
        (replace(CALM, desired=Desired.STOPPED, idle_s=999.0, unused_s=999.0), Rung.KEEP, 1.0),
        (replace(CALM, desired=Desired.STOPPED, idle_s=5.0, unused_s=1000.0), Rung.REMOVE, None),
        (replace(CALM, desired=Desired.STOPPED, unused_s=9e9, retention_s=0.0), Rung.KEEP, None),
        (replace(CALM, desired=Desired.ABSENT, idle_s=9e9, unused_s=9e9), Rung.KEEP, None),
    ],
)
def test_the_table(world: Idleness, rung: Rung, next_s: float | None) -> None:
    """The usual situations, one line each."""
    found = verdict(world)
    assert (found.rung, found.next_s) == (rung, next_s)
