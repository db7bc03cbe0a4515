"""The idle ladder at work: it stops what nobody uses, and loses no call by it."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.clock import LoopClock
from tests.fakes.daemon import FakeDaemon, until
from wsmgr.control.entry import Entry
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.execution import ExecutionState
from wsmgr.core.ids import Slug, WorkspaceId
from wsmgr.core.limits import FREE, Plan
from wsmgr.core.workspace import Desired

ALICE = WorkspaceId("user:alice")
BRIEF = Plan("FREE", replace(FREE.limits, idle_timeout_s=2))


class JumpingClock(LoopClock):
    """A wall clock that somebody sets; the monotonic one goes on."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def now(self) -> datetime:
        """The wall time."""
        return super().now() + self.offset


@pytest.fixture
async def entry(system: FakeDaemon) -> Entry:
    """Alice's workspace, running; its plan stops it after 2 s."""
    entry = (await system.daemon.fleet.ensure(ALICE))[0]
    entry.plan = BRIEF
    await system.execute()
    return entry


def stops(system: FakeDaemon) -> int:
    """How often the ladder stopped something."""
    return system.actions().count("workspace.idle_stop")


async def test_what_nobody_uses_is_stopped_and_the_next_call_starts_it(system: FakeDaemon, entry: Entry) -> None:
    """After the plan's timeout, not before, once, with the reason in the audit trail."""
    await asyncio.sleep(1.5)
    assert system.engine.running() == {ALICE}
    await until(lambda: system.engine.boxes(ALICE) == [], 3)
    assert entry.record.desired is Desired.STOPPED
    assert stops(system) == 1
    reason = next(event.reason for event in system.store.all_events if event.action == "workspace.idle_stop")
    assert "its plan stops it after 2 s" in reason
    await asyncio.sleep(30)
    assert stops(system) == 1
    assert (await system.execute()).cold_start


async def test_steady_traffic_around_the_timeout_loses_no_call(system: FakeDaemon, entry: Entry) -> None:
    """Five minutes of calls 1.5 to 3.5 s apart, some before and some after a stop; then it is stopped."""
    draw = random.Random(7)  # noqa: S311  # a seed, so that a failure comes again
    clock = asyncio.get_running_loop()
    started, calls, cold = clock.time(), 0, 0
    while clock.time() - started < 300:
        record = await system.execute()
        assert record.state is ExecutionState.SUCCEEDED
        calls, cold = calls + 1, cold + record.cold_start
        await asyncio.sleep(draw.uniform(1.5, 3.5))
    assert calls > 100
    assert 10 < cold == stops(system)
    assert entry.unit.restarts == 0
    await until(lambda: system.engine.boxes(ALICE) == [], 5)


@pytest.mark.parametrize("steps", range(12))
async def test_a_call_at_every_moment_of_the_stop_is_served(system: FakeDaemon, entry: Entry, steps: int) -> None:
    """The call comes so many steps of the event loop after the ladder decided."""
    entry.active_mono -= 100
    sweeping = asyncio.create_task(system.daemon.idle.sweep())
    for _ in range(steps):
        await asyncio.sleep(0)
    assert (await system.execute()).state is ExecutionState.SUCCEEDED
    await sweeping
    assert entry.record.desired is Desired.RUNNING
    assert len(system.engine.boxes(ALICE)) == 1


async def test_a_call_in_flight_holds_the_stop_up(system: FakeDaemon, entry: Entry) -> None:
    """For as long as it takes, and one that waits for its turn does too."""
    with system.channel.held("execute"):
        calls = [asyncio.create_task(system.execute()) for _ in range(6)]
        await asyncio.sleep(20)
        assert system.engine.running() == {ALICE}
        assert system.daemon.idle.idle_s(entry) == 0
    assert all(record.state is ExecutionState.SUCCEEDED for record in await asyncio.gather(*calls))
    assert stops(system) == 0
    await until(lambda: system.engine.running() == set(), 5)


async def test_a_wall_clock_that_jumps_stops_nothing(tmp_path: Path) -> None:
    """An hour forward and two back; idleness is counted in seconds that pass."""
    clock = JumpingClock()
    system = await FakeDaemon(tmp_path, clock=clock, retention_s=1800).start()
    await system.put()
    await system.execute()
    await system.daemon.workspaces.put(WorkspaceId("user:bob"), Desired.STOPPED, "uid:0")
    for jump in (1, -2, 3):
        clock.offset += timedelta(hours=jump)
        await asyncio.sleep(10)
        assert system.engine.running() == {ALICE}
        assert len(system.daemon.fleet) == 2
    await until(lambda: system.engine.running() == set(), 40)
    await system.stop()


async def test_touch_and_start_are_activity_and_reads_are_not(system: FakeDaemon, entry: Entry) -> None:
    """With reads alone it is stopped."""
    for act in (system.daemon.workspaces.touch(ALICE), system.daemon.workspaces.start(ALICE, "uid:0")):
        await asyncio.sleep(1.5)
        await act
    await asyncio.sleep(1.5)
    assert system.engine.running() == {ALICE}
    for _ in range(4):
        system.daemon.fleet.get(ALICE)
        await system.daemon.workspaces.logs(ALICE, 1)
        await asyncio.sleep(0.5)
    assert stops(system) == 1


async def test_a_stopped_workspace_goes_when_its_retention_is_over(tmp_path: Path) -> None:
    """The owner's plugins and records stay, and the next call makes it anew."""
    system = await FakeDaemon(tmp_path, retention_s=100).start()
    await system.put()
    record = await system.execute()
    await asyncio.sleep(90)
    assert system.daemon.fleet.find(ALICE) is not None
    await until(lambda: system.daemon.fleet.find(ALICE) is None, 15)
    assert await system.store.workspaces() == []
    assert "workspace.retention_end" in system.actions()
    assert await system.store.execution(record.id) is not None
    assert await system.store.versions(system.store._executions[record.id].workspace, Slug("echo"))  # type: ignore[arg-type]
    assert (await system.execute()).state is ExecutionState.SUCCEEDED
    await system.stop()


@pytest.mark.parametrize("steps", range(16))
async def test_a_call_at_every_moment_of_the_removal_is_served(tmp_path: Path, steps: int) -> None:
    """It either keeps the workspace or makes a new one, and there is one container."""
    system = await FakeDaemon(tmp_path, retention_s=50).start()
    await system.put()
    await system.execute()
    await system.daemon.workspaces.stop(ALICE, "uid:0", 5)
    system.daemon.fleet.get(ALICE).active_mono -= 100
    sweeping = asyncio.create_task(system.daemon.idle.sweep())
    for _ in range(steps):
        await asyncio.sleep(0)
    assert (await system.execute()).state is ExecutionState.SUCCEEDED
    await sweeping
    await asyncio.sleep(5)
    assert system.daemon.fleet.get(ALICE).record.desired is Desired.RUNNING
    assert len(system.engine.boxes(ALICE)) == 1
    assert [record.desired for record in await system.store.workspaces()] == [Desired.RUNNING]
    await system.stop()


async def test_a_restarted_daemon_leaves_stopped_what_was_stopped(
    system: FakeDaemon, entry: Entry, tmp_path: Path
) -> None:
    """And what ran is idle since it was taken over, not since its last call before the crash."""
    await system.put("user:bob")
    await system.execute("user:bob")
    await until(lambda: system.engine.running() == {WorkspaceId("user:bob")}, 5)
    await asyncio.sleep(40)
    await system.crash()
    second = FakeDaemon(tmp_path)
    second.adopt_world_of(system)
    await second.start()
    await asyncio.sleep(50)
    assert second.engine.running() == {WorkspaceId("user:bob")}
    await until(lambda: second.engine.running() == set(), 15)
    await second.stop()


async def test_the_time_before_a_restart_counts_for_the_retention(tmp_path: Path) -> None:
    """A daemon that is restarted often still removes, and no stale activity is written with a wish."""
    system = await FakeDaemon(tmp_path, retention_s=1000).start()
    await system.put()
    await asyncio.sleep(500)
    await system.execute()
    await asyncio.sleep(600)
    await system.stop()
    second = FakeDaemon(tmp_path, retention_s=1000)
    second.adopt_world_of(system)
    await second.start()
    await asyncio.sleep(300)
    assert second.daemon.fleet.find(ALICE) is not None
    await until(lambda: second.daemon.fleet.find(ALICE) is None, 200)
    await second.stop()


async def test_a_store_that_is_away_puts_the_stop_off(system: FakeDaemon, entry: Entry) -> None:
    """What is not stored is not done, and is tried again."""
    system.store.fail_next("put_workspace", StoreUnavailable("The disk is full."))
    await asyncio.sleep(2.5)
    assert (entry.record.desired, stops(system)) == (Desired.RUNNING, 0)
    await until(lambda: stops(system) == 1, 5)
