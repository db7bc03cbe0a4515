"""What ports.cgroup promises, of every implementation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.contract.cgroup.rig import MIB, SOON_S, T_S, Rig, TroubledRig, other_incarnation
from wsmgr.core.cgroup import Ceilings, Counters
from wsmgr.ports.cgroup import Cgroups, Group, GroupGone, GroupRefused

HELD = Ceilings(memory_bytes=64 * MIB, swap_bytes=0, cpus=0.5, pids=40)


async def found(rig: Rig | TroubledRig) -> Group:
    """The instance's group, which is there."""
    group = await rig.cgroups.find(rig.running, T_S)
    assert group is not None
    return group


async def until(holds: Callable[[], bool]) -> None:
    """Lets others go on until it holds, for some seconds."""
    for _ in range(5000):
        if holds():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never held")


# ---- finding -----------------------------------------------------------------------------------------------------


async def test_a_group_is_found_again_and_is_the_same(rig: Rig) -> None:
    """It names the container."""
    group = await found(rig)
    assert group.handle == rig.running.handle
    assert await rig.cgroups.find(rig.running, T_S) == group


async def test_an_instance_that_has_ended_has_none(rig: Rig) -> None:
    """Its group went with it."""
    await found(rig)
    rig.world.vanish()
    assert await rig.cgroups.find(rig.running, T_S) is None


async def test_a_host_without_groups_has_none(troubled: TroubledRig) -> None:
    """Not an error: the caller goes by what it has."""
    troubled.world.withdraw()
    assert await troubled.cgroups.find(troubled.running, T_S) is None


# ---- limits ------------------------------------------------------------------------------------------------------


async def test_limits_are_what_the_engine_set(rig: Rig) -> None:
    """And what it did not set is none."""
    group = await found(rig)
    assert rig.cgroups.ceilings(group) == Ceilings()
    rig.world.hold_to(HELD)
    assert rig.cgroups.ceilings(group) == HELD


@pytest.mark.parametrize(
    "wanted",
    [
        Ceilings(memory_bytes=128 * MIB, swap_bytes=4 * MIB, cpus=1.5, pids=80),
        Ceilings(memory_bytes=32 * MIB, swap_bytes=0, cpus=0.05, pids=20),
        Ceilings(memory_bytes=128 * MIB, swap_bytes=0, cpus=0.25, pids=80),
        HELD,
    ],
    ids=["raised", "lowered", "mixed", "same"],
)
async def test_limits_are_changed(rig: Rig, wanted: Ceilings) -> None:
    """What is returned is what is in force."""
    rig.world.hold_to(HELD)
    group = await found(rig)
    assert await rig.cgroups.apply(group, wanted, T_S) == wanted
    assert rig.cgroups.ceilings(group) == wanted


async def test_limits_are_set_where_there_were_none(rig: Rig) -> None:
    """On a container that was made without."""
    group = await found(rig)
    assert await rig.cgroups.apply(group, HELD, T_S) == HELD


async def test_limits_that_are_not_given_stay(rig: Rig) -> None:
    """None leaves one as it is."""
    rig.world.hold_to(HELD)
    group = await found(rig)
    after = await rig.cgroups.apply(group, Ceilings(cpus=1.0), T_S)
    assert after == Ceilings(memory_bytes=64 * MIB, swap_bytes=0, cpus=1.0, pids=40)
    assert await rig.cgroups.apply(group, Ceilings(), T_S) == after


@pytest.mark.parametrize("limit", ["memory_bytes", "cpus", "pids"])
async def test_a_limit_that_is_refused_does_not_keep_the_others(troubled: TroubledRig, limit: str) -> None:
    """The sentence names it, and only it."""
    troubled.world.refuse(limit)
    group = await found(troubled)
    with pytest.raises(GroupRefused) as refused:
        await troubled.cgroups.apply(group, HELD, T_S)
    names = {"memory_bytes": "memory.max", "swap_bytes": "memory.swap.max", "cpus": "cpu.max", "pids": "pids.max"}
    said = str(refused.value)
    assert {field for field, name in names.items() if field in said or name in said} == {limit}
    after = troubled.cgroups.ceilings(group)
    for field in names:
        assert getattr(after, field) == (None if field == limit else getattr(HELD, field))


# ---- counters ----------------------------------------------------------------------------------------------------


async def test_counters_are_the_kernels(troubled: TroubledRig) -> None:
    """All of them, wherever they are kept."""
    counted = Counters(
        memory_bytes=48 * MIB,
        working_set_bytes=40 * MIB,
        cpu_s=12.5,
        throttled_s=1.25,
        oom_kills=2,
        pids=17,
        pids_refused=3,
    )
    troubled.world.count(counted)
    assert troubled.cgroups.counters(await found(troubled)) == counted


async def test_kills_around_a_group_are_known_after_it_has_gone(rig: Rig) -> None:
    """Its own counts go with it; what is asked around it is what was there before."""
    group = await found(rig)
    before = rig.cgroups.kills_around(group)
    rig.world.vanish()
    assert rig.cgroups.kills_around(group) == before


# ---- freezing ----------------------------------------------------------------------------------------------------


async def test_freeze_and_thaw(rig: Rig) -> None:
    """Each twice: both are idempotent."""
    group = await found(rig)
    assert not rig.cgroups.frozen(group)
    for _ in range(2):
        await rig.cgroups.freeze(group, T_S)
        assert rig.cgroups.frozen(group)
    for _ in range(2):
        await rig.cgroups.thaw(group, T_S)
        assert not rig.cgroups.frozen(group)


async def test_what_stands_still_can_be_looked_at_and_changed(rig: Rig) -> None:
    """A paused workspace's plan may change."""
    rig.world.hold_to(HELD)
    group = await found(rig)
    await rig.cgroups.freeze(group, T_S)
    rig.cgroups.counters(group)
    assert (await rig.cgroups.apply(group, Ceilings(pids=50), T_S)).pids == 50
    await rig.cgroups.reclaim(group, T_S)
    assert rig.cgroups.frozen(group)
    assert await rig.cgroups.find(rig.running, T_S) == group


async def test_what_does_not_stand_still_in_time_goes_on(troubled: TroubledRig) -> None:
    """Half frozen would be worse than either."""
    group = await found(troubled)
    troubled.world.stick()
    with pytest.raises(GroupRefused):
        await troubled.cgroups.freeze(group, SOON_S)
    assert not troubled.cgroups.frozen(group)


async def test_a_freeze_that_is_cancelled_is_undone(troubled: TroubledRig) -> None:
    """Nobody would thaw it."""
    group = await found(troubled)
    troubled.world.stick()
    freezing = asyncio.create_task(troubled.cgroups.freeze(group, T_S))
    await until(lambda: troubled.cgroups.frozen(group))
    freezing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await freezing
    assert not troubled.cgroups.frozen(group)


# ---- the end -----------------------------------------------------------------------------------------------------

ASYNC_CALLS: dict[str, Callable[[Cgroups, Group], Awaitable[object]]] = {
    "apply": lambda cgroups, group: cgroups.apply(group, HELD, T_S),
    "freeze": lambda cgroups, group: cgroups.freeze(group, T_S),
    "thaw": lambda cgroups, group: cgroups.thaw(group, T_S),
    "reclaim": lambda cgroups, group: cgroups.reclaim(group, T_S),
}
CALLS: dict[str, Callable[[Cgroups, Group], object]] = {
    "ceilings": lambda cgroups, group: cgroups.ceilings(group),
    "counters": lambda cgroups, group: cgroups.counters(group),
    "frozen": lambda cgroups, group: cgroups.frozen(group),
}


@pytest.mark.parametrize("name", sorted(CALLS))
async def test_looking_at_a_group_that_has_gone(rig: Rig, name: str) -> None:
    """The same call is seen to work before."""
    group = await found(rig)
    CALLS[name](rig.cgroups, group)
    rig.world.vanish()
    with pytest.raises(GroupGone):
        CALLS[name](rig.cgroups, group)


@pytest.mark.parametrize("name", sorted(ASYNC_CALLS))
async def test_changing_a_group_that_has_gone(rig: Rig, name: str) -> None:
    """The same call is seen to work before; one that is frozen may go, too."""
    group = await found(rig)
    await ASYNC_CALLS[name](rig.cgroups, group)
    rig.world.vanish()
    with pytest.raises(GroupGone):
        await ASYNC_CALLS[name](rig.cgroups, group)


async def test_a_group_that_goes_while_it_is_frozen(troubled: TroubledRig) -> None:
    """The wait ends with it, long before its time."""
    group = await found(troubled)
    troubled.world.stick()
    freezing = asyncio.create_task(troubled.cgroups.freeze(group, 60.0))
    await until(lambda: troubled.cgroups.frozen(group))
    troubled.world.vanish()
    with pytest.raises(GroupGone):
        await asyncio.wait_for(freezing, T_S)


async def test_another_incarnation_is_not_the_same(troubled: TroubledRig) -> None:
    """Its group, if it has one, is its own."""
    group = await found(troubled)
    assert await troubled.cgroups.find(other_incarnation(troubled.running), T_S) != group
