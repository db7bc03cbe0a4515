"""An end by the kernel for lack of memory, on hosts whose engine does not see that it was one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon, until
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.outcome import FailureType

BOB = WorkspaceId("user:bob")


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[FakeDaemon]:
    """A daemon on a host with control groups, with the plugin `echo` of user:alice stored."""
    system = await FakeDaemon(tmp_path, freezable=True).start()
    await system.put()
    yield system
    await system.stop()


async def killed(system: FakeDaemon, *, kills: int | None, exit_code: int = 137) -> FailureType:
    """The failure of a call whose workspace ends under it, after which the kernel has counted so many kills."""
    await system.execute()
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute())
        await until(lambda: system.runtime().inflight == 1)
        system.cgroups.kills = kills
        system.die(exit_code=exit_code)
        record = await call
    assert record.outcome is not None
    assert record.outcome.failure is not None
    return record.outcome.failure.type


@pytest.mark.parametrize(
    ("kills", "exit_code", "failure"),
    [
        (1, 137, FailureType.OUT_OF_MEMORY),
        (0, 137, FailureType.CRASH),
        (None, 137, FailureType.CRASH),
        (1, 134, FailureType.CRASH),
    ],
)
async def test_the_kernels_count_tells_an_oom_kill_from_a_crash(
    system: FakeDaemon, kills: int | None, exit_code: int, failure: FailureType
) -> None:
    """A SIGKILL with a kill that was counted is one; without it, or with another exit, it is none."""
    assert await killed(system, kills=kills, exit_code=exit_code) is failure


async def test_a_kill_explains_one_end_and_no_other(system: FakeDaemon) -> None:
    """What the kernel had counted before, or for an end that is known, says nothing of the next one."""
    assert await killed(system, kills=1) is FailureType.OUT_OF_MEMORY
    assert await killed(system, kills=1) is FailureType.CRASH
    assert await killed(system, kills=2) is FailureType.OUT_OF_MEMORY


async def test_the_end_is_counted_once_and_named(system: FakeDaemon) -> None:
    """However often what has ended is looked at."""
    await killed(system, kills=1)
    entry, _ = await system.daemon.fleet.ensure(WorkspaceId("user:alice"))
    assert entry.unit.restarts == 1
    assert "out of memory" in entry.unit.last_failure
