"""Adoption, orphans, restarts, and the end of a daemon."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon, until
from tests.fakes.engine import Script
from wsmgr.core.errors import EngineFailure, NeverStarted, NotFound, Unsupported
from wsmgr.core.execution import ExecutionState
from wsmgr.core.ids import ExecutionId, WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import Desired, Phase, Spec

ALICE = WorkspaceId("user:alice")


async def successor_of(first: FakeDaemon, path: Path) -> FakeDaemon:
    """A daemon on the same store, engines and channel, as after a crash: nothing of the first was closed."""
    await first.crash()
    second = FakeDaemon(path)
    second.adopt_world_of(first)
    return await second.start()


async def test_a_restarted_daemon_adopts_what_runs(system: FakeDaemon, tmp_path: Path) -> None:
    """No container is made or stopped, and calls work at once."""
    await system.execute()
    before = list(system.engine.calls)
    second = await successor_of(system, tmp_path)
    record = await second.execute()
    assert record.state is ExecutionState.SUCCEEDED
    made = [method for method, _ in system.engine.calls[len(before) :] if method in {"create", "start", "stop"}]
    assert made == []
    await second.stop()


async def test_calls_that_a_crash_cut_off_are_lost_and_never_run_again(system: FakeDaemon, tmp_path: Path) -> None:
    """A retry under the same id is told so."""
    await system.execute()
    with system.channel.held("execute"):
        cut = asyncio.create_task(system.execute(id="x"))
        await until(lambda: system.runtime().inflight == 1)
        second = await successor_of(system, tmp_path)
        record = await second.execute(id="x")
        runs = len(system.runtime().calls)
        cut.cancel()
    assert record.state is ExecutionState.LOST
    assert record.outcome is None
    assert runs == 2
    kept = await second.store.execution(ExecutionId("x"))
    assert kept is not None
    assert kept.state is ExecutionState.LOST
    await second.stop()


async def test_an_orphan_is_removed_and_a_known_workspace_is_not(system: FakeDaemon) -> None:
    """A container of our instance whose workspace is in no record goes at the next sweep."""
    await system.execute()
    spec = spec_for("user:ghost")
    system.engine.adopt(spec)
    await until(lambda: system.engine.running() == {ALICE})
    assert "workspace.orphan_removed" in system.actions()


async def test_an_engine_that_refuses_to_list_keeps_nobody_from_the_others(system: FakeDaemon) -> None:
    """It is said in a line, the other engines are looked at, and this one again at the next sweep."""
    system.engine.adopt(spec_for("user:ghost"))
    system.worker.adopt(spec_for("user:other"))
    system.engine.fail("list", EngineFailure("Podman refused to list containers (500): it is confused."))
    await until(lambda: system.worker.running() == set(), 20)
    assert system.engine.running() == {WorkspaceId("user:ghost")}
    await until(lambda: system.engine.running() == set(), 20)


async def test_a_half_made_container_of_a_dead_daemon_is_finished(system: FakeDaemon) -> None:
    """Created and never started, with the specification that is wanted: it is started, not doubled."""
    entry = (await system.daemon.fleet.ensure(ALICE))[0]
    system.engine.adopt(system.daemon.fleet.spec(entry, Isolation.CONTAINER), started=False)
    await asyncio.sleep(20)
    await system.execute()
    assert len(system.engine.boxes(ALICE)) == 1


async def test_what_ends_by_itself_is_started_again_within_the_budget(system: FakeDaemon) -> None:
    """Three restarts, then ERROR with the cause; recover brings it back."""
    await system.execute()
    unit = system.daemon.fleet.get(ALICE).unit
    for died in range(1, 5):
        await until(lambda: unit.endpoint is not None)
        system.die(exit_code=3)
        await until(lambda: unit.restarts == died)  # noqa: B023  # awaited within the same turn of the loop
    await until(lambda: unit.phase is Phase.ERROR)
    assert "code 3" in unit.reason
    assert "recovers" in unit.reason
    with pytest.raises(NeverStarted, match="code 3"):
        await system.execute()
    await system.daemon.workspaces.recover(ALICE, "uid:0", 10)
    assert (await system.execute()).state is ExecutionState.SUCCEEDED


async def test_a_container_that_exits_at_once_never_starts_a_call(tmp_path: Path) -> None:
    """The caller is told why, within the budget, and nothing loops."""
    system = FakeDaemon(tmp_path)
    system.engine.program(lambda _: Script(exit_code=2))
    await system.start()
    await system.put()
    with pytest.raises(NeverStarted, match="code 2"):
        await system.execute()
    assert [method for method, _ in system.engine.calls].count("start") <= 4
    await system.stop()


async def test_a_container_that_somebody_removed_is_noticed(system: FakeDaemon) -> None:
    """At the next sweep; it is made again because it is wanted."""
    await system.execute()
    unit = system.daemon.fleet.get(ALICE).unit
    handle = system.engine.boxes(ALICE)[0].handle
    await system.engine.remove(handle)
    await until(lambda: bool(unit.failures))
    assert "removed by somebody else" in unit.last_failure
    await until(lambda: unit.endpoint is not None)
    assert system.engine.boxes(ALICE)[0].handle != handle


async def test_stop_stops_and_the_next_call_starts(system: FakeDaemon) -> None:
    """Stopped means that no container is left; nothing brings it back but a call."""
    await system.execute()
    entry = await system.daemon.workspaces.stop(ALICE, "uid:0", 10)
    assert (entry.unit.phase, entry.record.desired) == (Phase.STOPPED, Desired.STOPPED)
    assert system.engine.boxes(ALICE) == []
    await asyncio.sleep(100)
    assert system.engine.boxes(ALICE) == []
    assert (await system.execute()).cold_start


async def test_restart_replaces_the_container(system: FakeDaemon) -> None:
    """And waits for the new one."""
    await system.execute()
    before = system.engine.boxes(ALICE)[0].handle
    entry = await system.daemon.workspaces.restart(ALICE, "uid:0", 10)
    assert entry.unit.endpoint is not None
    assert system.engine.boxes(ALICE)[0].handle != before
    assert entry.unit.restarts == 0


async def test_delete_forgets_the_workspace_and_keeps_plugins_and_records(system: FakeDaemon) -> None:
    """Idempotent; the next call makes it anew."""
    record = await system.execute()
    assert await system.daemon.workspaces.delete(ALICE, "uid:0")
    assert await system.daemon.workspaces.delete(ALICE, "uid:0")
    assert system.daemon.fleet.find(ALICE) is None
    assert await system.store.workspaces() == []
    assert await system.store.execution(record.id) is not None
    assert (await system.execute()).state is ExecutionState.SUCCEEDED


async def test_what_was_looked_up_and_found_absent_can_be_deleted(system: FakeDaemon) -> None:
    """After an outage everything is looked at anew; what is not there is known to be not there."""
    await system.daemon.workspaces.put(ALICE, Desired.STOPPED, "uid:0")
    entry = system.daemon.fleet.get(ALICE)
    system.daemon.workspaces._reconciler.nudge_all(entry, look=True)
    await asyncio.sleep(0.1)
    assert await system.daemon.workspaces.delete(ALICE, "uid:0", 5)


async def test_nothing_is_made_over_what_an_engine_that_was_away_at_the_start_still_runs(
    system: FakeDaemon, tmp_path: Path
) -> None:
    """The daemon has not seen its containers yet: it waits for the engine's word and then adopts."""
    await system.execute()
    await system.crash()
    system.engine.down = "Podman does not answer."
    second = FakeDaemon(tmp_path, fallback=False)
    second.adopt_world_of(system)
    await second.start()
    await second.put()
    made = system.engine.calls.count(("create", ALICE))
    system.engine.down = None
    await until(lambda: second.daemon.fleet.get(ALICE).unit.endpoint is not None)
    assert system.engine.calls.count(("create", ALICE)) == made
    assert len(system.engine.boxes(ALICE)) == 1
    await second.stop()


async def test_verbs_on_an_unknown_workspace_are_not_found(system: FakeDaemon) -> None:
    """Only PUT and a call make one."""
    for verb in (system.daemon.workspaces.start, system.daemon.workspaces.stop, system.daemon.workspaces.restart):
        with pytest.raises(NotFound):
            await verb(WorkspaceId("user:nobody"), "uid:0")


async def test_pause_says_that_it_cannot(system: FakeDaemon) -> None:
    """No pretence of a freeze."""
    await system.execute()
    with pytest.raises(Unsupported, match="freeze"):
        await system.daemon.workspaces.pause(ALICE, "uid:0")


async def test_a_changed_plan_replaces_the_container_at_the_next_idle_moment(system: FakeDaemon) -> None:
    """Not under a running call."""
    await system.execute()
    before = system.engine.boxes(ALICE)[0].handle
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute())
        await until(lambda: system.runtime().inflight == 1)
        owner = await system.daemon.owners.get(system.daemon.fleet.get(ALICE).record.owner)
        await system.daemon.owners.put(replace(owner, plan="PRO"), "uid:0")
        await asyncio.sleep(5)
        assert system.engine.boxes(ALICE)[0].handle == before
    await call
    await until(lambda: bool(system.engine.boxes(ALICE)) and system.engine.boxes(ALICE)[0].handle != before)
    assert (await system.execute()).state is ExecutionState.SUCCEEDED


async def test_shutdown_with_keep_leaves_workspaces(system: FakeDaemon) -> None:
    """For an upgrade of the daemon."""
    await system.execute()
    await system.stop(keep=True)
    assert system.engine.running() == {ALICE}


async def test_shutdown_is_bounded_when_a_container_does_not_stop(system: FakeDaemon) -> None:
    """A stop that hangs is left for the next daemon."""
    await system.execute()
    before = asyncio.get_running_loop().time()
    with system.engine.held("stop"):
        await system.stop(deadline_s=10)
    assert asyncio.get_running_loop().time() - before < 15


async def test_what_was_running_comes_back_after_a_shutdown(system: FakeDaemon, tmp_path: Path) -> None:
    """What is wanted is stored; a stop of the daemon is not a wish about its workspaces."""
    await system.execute()
    await system.stop()
    assert system.engine.running() == set()
    second = FakeDaemon(tmp_path)
    second.adopt_world_of(system)
    await second.start()
    await until(lambda: second.engine.running() == {ALICE})
    await second.stop()


def spec_for(workspace: str) -> Spec:
    """A specification of a workspace that nobody knows."""
    return Spec(
        workspace=WorkspaceId(workspace),
        isolation=Isolation.CONTAINER,
        image="x",
        uid=10_500,
        generation=0,
        memory_mb=64,
        cpus=0.1,
        pids=10,
        nofile=10,
        scratch_mb=1,
        concurrency=1,
        input_bytes=1,
        output_bytes=1,
        log_bytes=1,
    )
