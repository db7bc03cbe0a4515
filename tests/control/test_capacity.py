"""The host's memory budget at work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon, until
from tests.fakes.engine import Script
from wsmgr.core.errors import HostFull, StoreUnavailable
from wsmgr.core.execution import Execution, ExecutionState
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.workspace import Desired, Phase, Spec

FREE_MB = 128


def names(count: int) -> list[str]:
    """Workspaces of as many owners."""
    return [f"user:u{n}" for n in range(count)]


class Host(FakeDaemon):
    """With memory for so many FREE workspaces; `most` is the most that ever ran at once."""

    most = 0

    def note(self, spec: Spec) -> Script:
        """The script of every main process."""
        self.most = max(self.most, len(self.engine.running() | {spec.workspace}))
        return Script()


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    """Room for five."""
    host = Host(tmp_path, memory_mb=5 * FREE_MB, memory_budget=1)
    host.engine.program(host.note)
    await host.start()
    yield host
    await host.stop()


async def test_the_longest_idle_makes_room(host: Host) -> None:
    """Stopped first, then the new one starts; its own next call starts it again."""
    everyone = names(6)
    for name in everyone:
        await host.put(name)
        await host.execute(name)
        await asyncio.sleep(1)
    assert host.engine.running() == set(everyone[1:])
    assert host.most == 5
    first = host.daemon.fleet.get(WorkspaceId(everyone[0]))
    assert first.record.desired is Desired.STOPPED
    assert host.actions().count("workspace.capacity_stop") == 1
    assert (await host.execute(everyone[0])).cold_start
    assert host.engine.running() == {everyone[0], *everyone[2:]}
    stored = {record.id: record.desired for record in await host.store.workspaces()}
    assert stored[WorkspaceId(everyone[1])] is Desired.STOPPED


async def test_a_hundred_first_calls_at_once_on_a_budget_for_five(host: Host) -> None:
    """Five are served and the others are told that the host is full; never more than five run."""
    everyone = names(100)
    for name in everyone:
        await host.put(name)
    with host.channel.held("execute"):
        calls = [asyncio.create_task(host.execute(name)) for name in everyone]
        await until(lambda: sum(call.done() for call in calls) == 95)
        await until(lambda: len(host.engine.running()) == 5)
    results = await asyncio.gather(*calls, return_exceptions=True)
    refused = [result for result in results if isinstance(result, HostFull)]
    served = [result for result in results if isinstance(result, Execution)]
    assert (len(served), len(refused)) == (5, 95)
    assert refused[0].details == {"budgetMb": 640, "heldMb": 640, "neededMb": 128, "running": 5}
    assert host.most == 5
    for name in everyone:
        assert (await host.execute(name)).state is ExecutionState.SUCCEEDED
    assert host.most == 5


async def test_a_person_is_refused_too_and_a_workspace_in_error_holds_nothing(host: Host) -> None:
    """`start` of a sixth while five are busy; one that is in ERROR counts again once it is recovered."""
    host.engine.program(lambda spec: Script(exit_code=1) if spec.workspace == "user:u0" else host.note(spec))
    everyone = names(7)
    for name in everyone:
        await host.put(name)
    workspaces = host.daemon.workspaces
    broken = await workspaces.put(WorkspaceId(everyone[0]), Desired.RUNNING, "uid:0", 30)
    assert broken.unit.exhausted
    for name in everyone[1:6]:
        await host.execute(name)
    assert host.engine.running() == set(everyone[1:6])
    with host.channel.held("execute"):
        calls = [asyncio.create_task(host.execute(name)) for name in everyone[1:6]]
        await asyncio.sleep(1)
        for act in (
            workspaces.put(WorkspaceId(everyone[6]), Desired.RUNNING, "uid:0"),
            workspaces.recover(WorkspaceId(everyone[0]), "uid:0"),
        ):
            with pytest.raises(HostFull):
                await act
        assert broken.unit.phase is Phase.ERROR
    await asyncio.gather(*calls)
    await workspaces.recover(WorkspaceId(everyone[0]), "uid:0")
    await until(lambda: len(host.engine.running()) == 4, 5)


async def test_the_newcomer_waits_until_the_memory_is_given_back(host: Host) -> None:
    """A stop that takes its time is waited for."""
    everyone = names(6)
    for name in everyone:
        await host.put(name)
    for name in everyone[:5]:
        await host.execute(name)
    with host.engine.held("stop"):
        call = asyncio.create_task(host.execute(everyone[5]))
        await asyncio.sleep(3)
        assert host.engine.running() == set(everyone[:5])
        assert "memory" in host.daemon.fleet.get(WorkspaceId(everyone[5])).unit.reason
    assert (await call).state is ExecutionState.SUCCEEDED
    assert host.most == 5


async def test_a_victim_stays_stopped_even_if_that_is_not_stored(host: Host) -> None:
    """Its memory is promised to somebody else."""
    everyone = names(6)
    for name in everyone:
        await host.put(name)
    for name in everyone[:5]:
        await host.execute(name)
    await host.daemon.fleet.ensure(WorkspaceId(everyone[5]))
    host.store.fail_next("put_workspace", StoreUnavailable("The disk is full."))
    await asyncio.gather(host.execute(everyone[5]), return_exceptions=True)
    assert host.most == 5
    assert sum(host.daemon.fleet.get(WorkspaceId(n)).record.desired is Desired.RUNNING for n in everyone) <= 5
