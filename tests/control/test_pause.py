"""PAUSED: frozen past the engine, resumed by the next call, and never under one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.cgroup import FakeGroup
from tests.fakes.daemon import FakeDaemon, until
from wsmgr.control.entry import Entry
from wsmgr.core.errors import Conflict, QuotaExceeded, Unsupported
from wsmgr.core.execution import ExecutionState
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.limits import FREE, Plan
from wsmgr.core.workspace import Desired, Phase, Running

ALICE = WorkspaceId("user:alice")
LADDER = Plan("FREE", replace(FREE.limits, pause_after_s=2, idle_timeout_s=10))


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[FakeDaemon]:
    """A daemon on a host with control groups, with the plugin `echo` of user:alice stored."""
    system = await FakeDaemon(tmp_path, freezable=True, health_every_s=10).start()
    await system.put()
    yield system
    if not system.daemon.executions.refusing:
        await system.stop()


@pytest.fixture
async def entry(system: FakeDaemon) -> Entry:
    """Alice's workspace, running; its plan pauses it after 2 s and stops it after 10."""
    entry, _ = await system.daemon.fleet.ensure(ALICE)
    entry.plan = LADDER
    await system.execute()
    return entry


def instance(system: FakeDaemon) -> Running:
    """The one instance of Alice's workspace."""
    (box,) = system.engine.boxes(ALICE)
    assert isinstance(box, Running)
    return box


def group(system: FakeDaemon) -> FakeGroup:
    """Its control group."""
    return system.cgroups.behind(instance(system))


async def paused(system: FakeDaemon, entry: Entry) -> None:
    """Have it paused."""
    await system.daemon.workspaces.pause(ALICE, "uid:0", 5.0)
    assert entry.unit.phase is Phase.PAUSED
    assert group(system).frozen


async def test_the_ladder_goes_through_paused(system: FakeDaemon, entry: Entry) -> None:
    """Paused after the grace, stopped after the timeout counted from the last call, each said once."""
    await asyncio.sleep(1.5)
    assert not group(system).frozen
    await until(lambda: entry.unit.phase is Phase.PAUSED, 2)
    assert group(system).frozen
    assert entry.record.desired is Desired.PAUSED
    await asyncio.sleep(6)
    assert group(system).frozen
    await until(lambda: system.engine.boxes(ALICE) == [], 3)
    assert entry.unit.phase is Phase.STOPPED
    actions = system.actions()
    assert [actions.count(f"workspace.idle_{rung}") for rung in ("pause", "stop")] == [1, 1]


async def test_a_call_resumes_the_same_container(system: FakeDaemon, entry: Entry) -> None:
    """It is thawed and not made anew, and many calls share one thaw."""
    before = instance(system)
    await paused(system, entry)
    records = await asyncio.gather(*(system.execute() for _ in range(20)))
    assert {record.state for record in records} == {ExecutionState.SUCCEEDED}
    assert instance(system) == before
    assert system.cgroups.asked.count(("thaw", before.handle)) == 1
    assert records[0].cold_start
    assert entry.record.desired is Desired.RUNNING


@pytest.mark.parametrize("steps", range(14))
async def test_a_call_at_every_moment_of_the_pause_is_served(system: FakeDaemon, entry: Entry, steps: int) -> None:
    """And no call reaches a frozen runtime, whenever it comes."""
    system.cgroups.latency_s = 0.001
    entry.active_mono -= 5
    sweeping = asyncio.create_task(system.daemon.idle.sweep())
    for _ in range(steps):
        await asyncio.sleep(0)
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute())
        await until(lambda: system.runtime().inflight == 1, 5)
        assert not group(system).frozen
    assert (await call).state is ExecutionState.SUCCEEDED
    await sweeping
    await until(lambda: entry.record.desired is Desired.RUNNING, 1)


async def test_a_call_in_flight_holds_the_pause_up(system: FakeDaemon, entry: Entry) -> None:
    """Also one that a person asked for."""
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute())
        await until(lambda: system.runtime().inflight == 1)
        await system.daemon.workspaces.pause(ALICE, "uid:0")
        await asyncio.sleep(5)
        assert not group(system).frozen
        assert entry.unit.phase is Phase.RUNNING
    assert (await call).state is ExecutionState.SUCCEEDED
    await until(lambda: group(system).frozen, 2)


async def test_what_does_not_run_is_not_paused(system: FakeDaemon, entry: Entry) -> None:
    """And nothing is started for it."""
    await system.daemon.workspaces.stop(ALICE, "uid:0", 5.0)
    with pytest.raises(Conflict, match="does not run"):
        await system.daemon.workspaces.pause(ALICE, "uid:0")
    assert entry.record.desired is Desired.STOPPED


async def test_a_freeze_that_the_kernel_refuses_leaves_it_running(system: FakeDaemon, entry: Entry) -> None:
    """It serves on, the trail says why, and the ladder does not try again and again; it stops in its time."""
    group(system).stuck = True
    await until(lambda: "workspace.pause_failed" in system.actions(), 10)
    assert (await system.execute()).state is ExecutionState.SUCCEEDED
    assert entry.record.desired is Desired.RUNNING
    with pytest.raises(Unsupported):
        await system.daemon.workspaces.pause(ALICE, "uid:0")
    await until(lambda: system.engine.boxes(ALICE) == [], 15)
    assert system.actions().count("workspace.pause_failed") == 1


async def test_what_is_paused_is_thawed_before_it_is_stopped(system: FakeDaemon, entry: Entry) -> None:
    """An engine cannot stop what is frozen."""
    handle = instance(system).handle
    await paused(system, entry)
    thawed_at_stop: list[bool] = []
    before = group(system)
    with system.engine.held("stop"):
        stopping = asyncio.create_task(system.daemon.workspaces.stop(ALICE, "uid:0", 5.0))
        await until(lambda: ("stop", handle) in system.engine.calls)
        thawed_at_stop.append(not before.frozen)
    await stopping
    assert thawed_at_stop == [True]
    assert system.engine.boxes(ALICE) == []


async def test_a_new_daemon_adopts_what_is_paused(system: FakeDaemon, entry: Entry, tmp_path: Path) -> None:
    """It stays frozen, and the next call resumes it."""
    before = instance(system)
    await paused(system, entry)
    await system.crash()
    after = FakeDaemon(tmp_path, freezable=True)
    after.adopt_world_of(system)
    await after.start()
    adopted = after.daemon.fleet.get(ALICE)
    await until(lambda: adopted.unit.phase is Phase.PAUSED, 5)
    assert group(after).frozen
    assert (await after.execute()).state is ExecutionState.SUCCEEDED
    assert instance(after) == before
    await after.stop()


async def test_a_frozen_one_that_is_wanted_running_is_thawed(system: FakeDaemon, entry: Entry, tmp_path: Path) -> None:
    """As after a crash between a thaw's wish and the thaw."""
    await system.crash()
    group(system).frozen = True
    after = FakeDaemon(tmp_path, freezable=True)
    after.adopt_world_of(system)
    await after.start()
    await until(lambda: not group(after).frozen, 5)
    assert (await after.execute()).state is ExecutionState.SUCCEEDED
    await after.stop()


async def test_one_that_ends_while_paused_counts_as_stopped(system: FakeDaemon, entry: Entry) -> None:
    """It holds nobody's place, and the next call makes it anew."""
    await paused(system, entry)
    system.die(exit_code=137)
    system.daemon.reconciler.nudge_all(entry, look=True)
    await until(lambda: entry.record.desired is Desired.STOPPED, 5)
    assert entry.unit.phase is Phase.STOPPED
    assert (await system.execute()).state is ExecutionState.SUCCEEDED


async def test_a_paused_workspace_is_not_probed_and_not_unhealthy(system: FakeDaemon, entry: Entry) -> None:
    """Its runtime cannot answer: three sweeps pass it by."""
    entry.plan = FREE
    await paused(system, entry)
    with system.channel.held("health"):
        await asyncio.sleep(50)
    assert entry.unit.healthy is None
    assert "workspace.failed" not in system.actions()


async def test_a_paused_workspace_holds_a_place(system: FakeDaemon, entry: Entry) -> None:
    """Its memory is there: it counts against the owner's workspaces."""
    await paused(system, entry)
    with pytest.raises(QuotaExceeded):
        await system.daemon.workspaces.put(WorkspaceId("user:alice~more"), Desired.RUNNING, "uid:0")


async def test_the_daemon_stops_what_is_paused(system: FakeDaemon, entry: Entry) -> None:
    """Shutdown thaws and stops; what is wanted stays stored."""
    await paused(system, entry)
    await system.stop()
    assert system.engine.boxes(ALICE) == []
