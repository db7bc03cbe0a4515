"""The decision function: safety, liveness, and the sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wsmgr.core.reconcile import (
    Adjust,
    AwaitReady,
    Create,
    Decision,
    Freeze,
    Nothing,
    Remove,
    RestartBudget,
    Start,
    Stop,
    Thaw,
    World,
    plan,
    remember_failure,
    restarts_left,
)
from wsmgr.core.workspace import (
    Absent,
    Created,
    Desired,
    Endpoint,
    Exited,
    Observed,
    Phase,
    Running,
    Unknown,
)

WANTED = "1.aaaa.live"
ENDPOINT = Endpoint(pid=7, socket="/run/wsmgr/api.sock", uid=210_000, instance="i")
OTHER_LIVE = "1.aaaa.other"
DIGESTS = st.sampled_from([WANTED, OTHER_LIVE, "1.bbbb.live", "0.aaaa.live"])


def running(digest: str = WANTED, *, paused: bool = False) -> Running:
    """A running instance."""
    return Running("h", digest, ENDPOINT, datetime(2026, 1, 1, tzinfo=UTC), paused)


OBSERVED: st.SearchStrategy[Observed] = st.one_of(
    st.just(Absent()),
    st.builds(Created, st.just("h"), DIGESTS),
    st.builds(running, DIGESTS, paused=st.booleans()),
    st.builds(Exited, st.just("h"), DIGESTS, st.integers(0, 255), st.booleans()),
    st.just(Unknown("The engine is away.")),
)
FROZEN = running(paused=True)
WORLDS = st.builds(
    World,
    desired=st.sampled_from(Desired),
    observed=OBSERVED,
    digest=st.just(WANTED),
    ready=st.booleans(),
    attending=st.integers(0, 3),
    urgent=st.booleans(),
    condemned=st.none() | st.just("It hung."),
    failures=st.lists(st.floats(0, 100), max_size=4).map(lambda times: tuple(sorted(times))),
    last_failure=st.just("It crashed."),
    exhausted=st.booleans(),
    freezable=st.booleans(),
    tunable=st.booleans(),
    adjust=st.booleans(),
    forbidden=st.none() | st.just("Its plan demands limits."),
    unproven=st.booleans(),
)


def world(desired: Desired, observed: Observed, **more: object) -> World:
    """A calm world."""
    calm = World(desired=desired, observed=observed, digest=WANTED, ready=False, attending=0)
    return replace(calm, **more)  # type: ignore[arg-type]  # the table below names fields of World


@given(world=WORLDS, now=st.floats(100, 1000))
def test_every_world_has_a_decision_with_one_sentence(world: World, now: float) -> None:
    """No world is without a decision, and every decision says why in a sentence."""
    decision = plan(world, now)
    assert decision.reason.endswith(".")
    assert "\n" not in decision.reason
    if decision.recheck_after is not None:
        assert decision.recheck_after > 0
        assert isinstance(decision.step, Nothing)


@given(world=WORLDS, now=st.floats(100, 1000))
def test_create_only_over_nothing(world: World, now: float) -> None:
    """Never a second container: Create needs Absent, Start needs Created, and what is done to a process needs one."""
    step = plan(world, now).step
    needs = {Create: Absent, Start: Created}
    needs |= dict.fromkeys((Stop, AwaitReady, Freeze, Thaw, Adjust), Running)
    if type(step) in needs:
        assert isinstance(world.observed, needs[type(step)])
    if isinstance(step, Remove):
        assert isinstance(world.observed, Created | Exited)


@given(any_world=WORLDS, digest=DIGESTS, now=st.floats(100, 1000))
def test_what_is_frozen_is_thawed_before_anything_else(any_world: World, digest: str, now: float) -> None:
    """An engine cannot stop it, and its runtime cannot answer."""
    world = replace(any_world, observed=running(digest, paused=True))
    assert isinstance(plan(world, now).step, Thaw | Nothing)


@given(any_world=WORLDS, digest=DIGESTS, now=st.floats(100, 1000))
def test_nothing_is_frozen_under_a_call(any_world: World, digest: str, now: float) -> None:
    """Also when a person asked for the pause, and never where the host cannot."""
    world = replace(any_world, observed=running(digest))
    if isinstance(plan(world, now).step, Freeze):
        assert not world.attending
        assert world.freezable
        assert world.desired is Desired.PAUSED


@given(any_world=WORLDS, now=st.floats(100, 1000))
def test_what_the_kernel_can_be_told_replaces_no_container(any_world: World, now: float) -> None:
    """CPU and tasks change while it runs, where there is a control group; elsewhere a new container is made."""
    calm = replace(any_world, desired=Desired.RUNNING, observed=running(OTHER_LIVE), ready=True, attending=0)
    world = replace(calm, condemned=None, exhausted=False, adjust=False, forbidden=None)
    assert isinstance(plan(world, now).step, Nothing if world.tunable else Stop)


@given(any_world=WORLDS, now=st.floats(100, 1000))
def test_nothing_is_done_while_the_engine_is_silent(any_world: World, now: float) -> None:
    """Without an observation every step could be the wrong one."""
    world = replace(any_world, observed=Unknown("The engine is away."))
    assert isinstance(plan(world, now).step, Nothing)


@given(any_world=WORLDS, now=st.floats(100, 1000))
def test_nothing_is_made_before_there_is_room(any_world: World, now: float) -> None:
    """And it is looked at again soon, since nobody tells when others have gone."""
    world = replace(any_world, desired=Desired.RUNNING, observed=Absent(), room=False)
    decision = plan(world, now)
    assert isinstance(decision.step, Nothing)
    assert decision.recheck_after is not None or world.exhausted


@given(any_world=WORLDS, digest=st.sampled_from([WANTED, OTHER_LIVE, "1.bbbb.live"]), now=st.floats(100, 1000))
def test_a_healthy_instance_is_not_stopped_under_a_call(any_world: World, digest: str, now: float) -> None:
    """Unless a person asked for it: by a stop, or by a restart, which shows as another generation."""
    world = replace(any_world, attending=1, ready=True, condemned=None, exhausted=False, observed=running(digest))
    assume(world.desired is Desired.RUNNING or not world.urgent)
    assert not isinstance(plan(world, now).step, Stop)


@given(any_world=WORLDS, now=st.floats(100, 1000))
def test_nothing_starts_against_its_plan(any_world: World, now: float) -> None:
    """Where limits are demanded that do not hold, or it is not known yet whether they do."""
    forbidden = any_world.forbidden is not None or any_world.unproven
    if forbidden and not isinstance(any_world.observed, Running):
        assert not isinstance(plan(any_world, now).step, Create | Start)


@given(any_world=WORLDS, now=st.floats(100, 1000))
def test_no_start_beyond_the_budget(any_world: World, now: float) -> None:
    """An exhausted workspace is in ERROR and is neither made nor started."""
    world = replace(any_world, exhausted=True, desired=Desired.RUNNING, forbidden=None, unproven=False)
    assume(not isinstance(world.observed, Unknown))
    decision = plan(world, now)
    assert not isinstance(decision.step, Create | Start | AwaitReady)
    if world.condemned is None and not isinstance(decision.step, Thaw):
        assert decision.phase is Phase.ERROR
        assert "recover" in decision.reason


def _after(observed: Observed, decision: Decision, ready: bool) -> tuple[Observed, bool]:
    """What a willing engine makes of a step."""
    match decision.step:
        case Create():
            return Created("h", WANTED), False
        case Start():
            return running(), False
        case AwaitReady(instance):
            return instance, True
        case Stop():
            return Exited("h", WANTED, 0, False), False
        case Freeze(instance):
            return replace(instance, paused=True), False
        case Thaw(instance):
            return replace(instance, paused=False), ready
        case Remove():
            return Absent(), False
        case _:
            return observed, ready


@given(world=WORLDS)
def test_every_wish_is_reached_on_a_willing_engine(world: World) -> None:
    """From any observed state, within a few steps, with calls ending in between."""
    assume(not isinstance(world.observed, Unknown) and not world.exhausted)
    world = replace(world, forbidden=None, unproven=False)
    observed, ready, now, condemned, adjust = world.observed, world.ready, 1000.0, world.condemned, world.adjust
    for _ in range(14):
        now += 10.0
        current = replace(world, observed=observed, ready=ready, attending=0, condemned=condemned, adjust=adjust)
        decision = plan(current, now)
        if isinstance(decision.step, Stop):
            condemned = None
        adjust = adjust and not isinstance(decision.step, Adjust)
        observed, ready = _after(observed, decision, ready)
    if world.desired is Desired.RUNNING:
        assert ready
        assert isinstance(observed, Running)
        assert not observed.paused
        assert observed.digest == WANTED or (world.tunable and observed.digest == OTHER_LIVE)
        assert decision.phase is Phase.RUNNING
    elif world.desired is Desired.PAUSED and isinstance(observed, Running):
        assert observed.paused == (decision.phase is Phase.PAUSED)
        assert observed.paused or not world.freezable
    else:
        assert observed == Absent()
        assert decision.phase is Phase.STOPPED
    assert isinstance(decision.step, Nothing)


@pytest.mark.parametrize(
    ("given_world", "step", "phase"),
    [
        (world(Desired.RUNNING, Absent()), Create(), Phase.CREATING),
        (world(Desired.RUNNING, Created("h", WANTED)), Start("h"), Phase.CREATING),
        (world(Desired.RUNNING, Created("h", "1.old.live")), Remove("h"), Phase.CREATING),
        (world(Desired.RUNNING, running()), AwaitReady(running()), Phase.CREATING),
        (world(Desired.RUNNING, running(), ready=True), Nothing(), Phase.RUNNING),
        (world(Desired.RUNNING, running("1.old.live"), ready=True, attending=1), Nothing(), Phase.RUNNING),
        (world(Desired.RUNNING, running("1.old.live"), ready=True), Stop("h"), Phase.CREATING),
        (world(Desired.RUNNING, running("0.aaaa.live"), ready=True, attending=1), Stop("h"), Phase.CREATING),
        (world(Desired.RUNNING, running(), ready=True, tunable=True, adjust=True), Adjust(running()), Phase.RUNNING),
        (world(Desired.RUNNING, FROZEN, freezable=True), Thaw(FROZEN), Phase.PAUSED),
        (world(Desired.PAUSED, running(), ready=True, freezable=True), Freeze(running()), Phase.RUNNING),
        (world(Desired.PAUSED, running(), ready=True, freezable=True, attending=1), Nothing(), Phase.RUNNING),
        (world(Desired.PAUSED, running(), ready=True), Nothing(), Phase.RUNNING),
        (world(Desired.PAUSED, FROZEN, freezable=True), Nothing(), Phase.PAUSED),
        (
            world(Desired.PAUSED, running("1.old.live", paused=True), freezable=True),
            Thaw(running("1.old.live", paused=True)),
            Phase.PAUSED,
        ),
        (world(Desired.PAUSED, running("1.old.live"), freezable=True), Stop("h"), Phase.RUNNING),
        (world(Desired.PAUSED, Absent()), Nothing(), Phase.STOPPED),
        (world(Desired.PAUSED, Exited("h", WANTED, 137, True)), Remove("h"), Phase.STOPPED),
        (world(Desired.STOPPED, FROZEN, freezable=True), Thaw(FROZEN), Phase.PAUSED),
        (world(Desired.RUNNING, running(), ready=True, condemned="It hung."), Stop("h"), Phase.CREATING),
        (world(Desired.RUNNING, Exited("h", WANTED, 3, False)), Remove("h"), Phase.CREATING),
        (world(Desired.RUNNING, Absent(), exhausted=True), Nothing(), Phase.ERROR),
        (world(Desired.STOPPED, Absent()), Nothing(), Phase.STOPPED),
        (world(Desired.STOPPED, running(), ready=True, attending=1, urgent=False), Nothing(), Phase.RUNNING),
        (world(Desired.STOPPED, running(), ready=True, attending=1), Stop("h"), Phase.RUNNING),
        (world(Desired.ABSENT, Exited("h", WANTED, 0, False)), Remove("h"), Phase.STOPPED),
    ],
)
def test_the_table(given_world: World, step: object, phase: Phase) -> None:
    """The usual situations, one line each."""
    decision = plan(given_world, 1000.0)
    assert (decision.step, decision.phase) == (step, phase)


def test_restarts_back_off_and_the_first_follows_at_once() -> None:
    """After one failure there is no wait, after two half a second, after three one and a half."""
    for failures, wait in (((100.0,), None), ((90.0, 100.0), 0.5), ((80.0, 90.0, 100.0), 1.5)):
        decision = plan(world(Desired.RUNNING, Absent(), failures=failures), 100.0)
        assert decision.recheck_after == wait
        assert isinstance(decision.step, Create if wait is None else Nothing)


@given(times=st.lists(st.floats(0, 2000), min_size=1, max_size=20).map(sorted))
def test_the_budget_counts_failures_in_its_window(times: list[float]) -> None:
    """Exhausted exactly when more than `restarts` failures lie within the window."""
    budget = RestartBudget(restarts=3, window_s=300)
    failures: tuple[float, ...] = ()
    for at in times:
        failures, exhausted = remember_failure(failures, at, budget)
        assert exhausted == (len(failures) > 3)
        assert restarts_left(failures, at, budget, exhausted=exhausted) == max(0, 3 - len(failures))
        assert all(at - earlier < 300 for earlier in failures[:-1])
