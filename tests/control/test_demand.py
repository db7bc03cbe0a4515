"""What happens to calls while the container engine is away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon, until
from wsmgr.core.errors import EngineFailure, EngineUnavailable, NeverStarted
from wsmgr.core.execution import ExecutionState
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation

ALICE = WorkspaceId("user:alice")


async def test_a_worker_stands_in_and_says_so(system: FakeDaemon) -> None:
    """Degraded, with an event; never silently."""
    system.engine.down = "Podman does not answer."
    record = await system.execute()
    assert record.state is ExecutionState.SUCCEEDED
    assert (record.isolation, record.degraded) == (Isolation.WORKER, True)
    assert "workspace.degraded" in system.actions()
    assert "engine.away" in system.actions()


async def test_calls_go_back_to_containers_when_the_engine_is_back(system: FakeDaemon) -> None:
    """And the worker goes, once its calls have ended."""
    system.engine.down = "Podman does not answer."
    await system.execute()
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute())
        await until(lambda: system.runtime(engine=system.worker).inflight == 1)
        system.engine.down = None
        await until(lambda: "workspace.restored" in system.actions())
        await asyncio.sleep(3)
        assert system.worker.running() == {ALICE}
    assert (await call).isolation is Isolation.WORKER
    record = await system.execute()
    assert (record.isolation, record.degraded) == (Isolation.CONTAINER, False)
    await until(lambda: system.worker.running() == set())


async def test_a_running_container_goes_on_serving_without_its_engine(system: FakeDaemon) -> None:
    """The channel needs no engine: no fallback, no new container."""
    await system.execute()
    system.engine.down = "Podman does not answer."
    await until(lambda: "engine.away" in system.actions())
    record = await system.execute()
    assert (record.isolation, record.degraded, record.cold_start) == (Isolation.CONTAINER, False, False)


@pytest.mark.parametrize("fallback", [True, False])
async def test_nothing_stands_in_where_the_policy_forbids_it(tmp_path: Path, fallback: bool) -> None:
    """503, retryable; with the positive control."""
    system = await FakeDaemon(tmp_path, fallback=fallback).start()
    await system.put()
    system.engine.down = "Podman does not answer."
    if fallback:
        assert (await system.execute()).degraded
    else:
        with pytest.raises(EngineUnavailable, match="policy"):
            await system.execute()
        assert not system.worker.running()
    await system.stop()


async def test_the_worker_isolation_is_not_degraded_when_it_was_chosen(tmp_path: Path) -> None:
    """PLUGIN_ISOLATION=worker."""
    system = await FakeDaemon(tmp_path, isolation="worker").start()
    await system.put()
    record = await system.execute()
    assert (record.isolation, record.degraded) == (Isolation.WORKER, False)
    await system.stop()


async def test_many_callers_share_one_start(system: FakeDaemon) -> None:
    """Fifty first calls, one container."""
    await asyncio.gather(*(system.execute() for _ in range(50)))
    assert [method for method, _ in system.engine.calls].count("create") == 1


async def test_a_start_that_hangs_ends_at_the_deadline(system: FakeDaemon) -> None:
    """Never started, safe to retry, with the reason; the next call works once the engine does."""
    with system.engine.held("start"), pytest.raises(NeverStarted, match="20 s"):
        await system.execute()
    assert (await system.execute()).state is ExecutionState.SUCCEEDED


async def test_calls_that_wait_for_a_step_that_fails_make_no_busy_loop(system: FakeDaemon) -> None:
    """It is tried again about once a second, however many wait and ask."""
    await system.execute()
    await system.daemon.workspaces.stop(ALICE, "uid:0", 10)
    system.engine.fail("observe", EngineFailure("Podman refused to inspect it."), times=10_000)
    before = [method for method, _ in system.engine.calls].count("observe")
    system.daemon.reconciler.nudge_all(system.daemon.fleet.get(ALICE), look=True)
    outcomes = await asyncio.gather(*(system.execute() for _ in range(5)), return_exceptions=True)
    assert {type(one) for one in outcomes} == {NeverStarted}
    tries = [method for method, _ in system.engine.calls].count("observe") - before
    assert 10 <= tries <= 40


async def test_nothing_stands_in_without_a_sandbox(system: FakeDaemon) -> None:
    """Where bubblewrap does not run, untrusted code is not run beside the daemon's own files."""
    system.engine.down = "Podman does not answer."
    system.worker.without_sandbox = True
    with pytest.raises(EngineUnavailable, match="bubblewrap"):
        await system.execute()
    assert not system.worker.running()
    system.worker.without_sandbox = False
    assert (await system.execute()).degraded
