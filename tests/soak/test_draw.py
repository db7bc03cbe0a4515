"""The decisions of a soak come again with its seed, and leave nothing out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from random import Random

import pytest

from tests.soak import draw
from tests.soak.acts import DAEMON_FAULTS, Change, Fault, How, Verb

DRAWS: list[Callable[[Random], Iterator[object]]] = [
    draw.calls,
    draw.wild_acts,
    draw.kept_acts,
    draw.plugin_acts,
    partial(draw.blows, on_daemon=True),
    partial(draw.blows, on_daemon=False),
]


@pytest.mark.parametrize("made", DRAWS)
def test_a_seed_gives_the_same_decisions(made: Callable[[Random], Iterator[object]]) -> None:
    """And another seed, or another actor, gives others."""

    def first(seed: int, actor: str) -> list[object]:
        return list(islice(made(draw.random_of(seed, actor)), 300))

    assert first(7, "a") == first(7, "a")
    assert first(7, "a") != first(8, "a")
    assert first(7, "a") != first(7, "b")


def test_endings_come_again_too() -> None:
    """One for each workspace."""
    endings = draw.endings(draw.random_of(5, "x"))
    assert endings == draw.endings(draw.random_of(5, "x"))
    assert set(endings) == {place.workspace for place in draw.EVERY}


def test_nothing_is_left_out() -> None:
    """Every kind of each decision comes within a soak's length."""
    some = 4000
    calls = list(islice(draw.calls(draw.random_of(1, "x")), some))
    assert {call.how for call in calls} == set(How)
    assert {call.place for call in calls} == set(draw.CALLED)
    assert {(call.named, call.twice) for call in calls} == {(True, True), (True, False), (False, False)}
    kept = {act.verb for act in islice(draw.kept_acts(draw.random_of(1, "x")), some)}
    assert kept == set(Verb)
    assert {act.change for act in islice(draw.plugin_acts(draw.random_of(1, "x")), some)} == set(Change)
    everywhere = {blow.fault for blow in islice(draw.blows(draw.random_of(1, "x"), on_daemon=True), some)}
    around = {blow.fault for blow in islice(draw.blows(draw.random_of(1, "x"), on_daemon=False), some)}
    assert everywhere == set(Fault)
    assert around == set(Fault) - DAEMON_FAULTS


def test_what_one_person_keeps_nobody_else_touches() -> None:
    """Else nobody would know what is wanted of it."""
    some = 2000
    called = {call.place.workspace for call in islice(draw.calls(draw.random_of(1, "x")), some)}
    wild = {act.place.workspace for act in islice(draw.wild_acts(draw.random_of(1, "x")), some)}
    kept = {act.place.workspace for act in islice(draw.kept_acts(draw.random_of(1, "x")), some)}
    assert not kept & (called | wild)
