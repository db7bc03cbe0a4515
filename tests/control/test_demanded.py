"""Plans that demand enforced limits run on no host that was not seen to hold them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon, until
from wsmgr.control.entry import Entry
from wsmgr.core.capability import Capability, Level
from wsmgr.core.cgroup import Ceilings
from wsmgr.core.errors import LimitsNotEnforced
from wsmgr.core.execution import ExecutionState
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.limits import FREE, Plan
from wsmgr.core.workspace import Phase, Running

ALICE = WorkspaceId("user:alice")
STRICT = Plan("FREE", replace(FREE.limits, require_enforced=True))


async def strict(path: Path, *, freezable: bool = True, **levels: Level) -> tuple[FakeDaemon, Entry]:
    """A daemon on an engine that enforces everything but for `levels`, and Alice on a plan that demands it."""
    system = FakeDaemon(path, freezable=freezable, health_every_s=5)
    names = ("memory", "cpu", "pids", "freeze")
    system.engine.matrix = [Capability(name, levels.get(name, Level.ENFORCED), "Seen.") for name in names]
    await system.start()
    await system.put()
    entry, _ = await system.daemon.fleet.ensure(ALICE)
    entry.plan = STRICT
    return system, entry


async def test_a_host_that_holds_them_runs_it(tmp_path: Path) -> None:
    """The control: the same plan, and limits that hold."""
    system, _ = await strict(tmp_path)
    await system.daemon.capabilities.prove()
    assert (await system.execute()).state is ExecutionState.SUCCEEDED
    await system.stop()


@pytest.mark.parametrize("limit", ["memory", "cpu", "pids"])
async def test_a_host_that_lacks_one_refuses(tmp_path: Path, limit: str) -> None:
    """With the name of the limit; nothing is made, the workspace is in ERROR and says why; an alert says so too."""
    system, entry = await strict(tmp_path, freezable=False, **{limit: Level.BEST_EFFORT})
    await system.daemon.capabilities.prove()
    with pytest.raises(LimitsNotEnforced, match=f"not enforced: {limit};"):
        await system.execute()
    assert system.engine.boxes(ALICE) == []
    assert entry.unit.phase is Phase.ERROR
    await until(lambda: "alert.raised" in system.actions(), 10)
    entry.plan = FREE
    system.daemon.reconciler.nudge_all(entry)
    await until(lambda: entry.unit.forbidden is None)
    assert (await system.execute()).state is ExecutionState.SUCCEEDED
    await system.stop()


async def test_it_waits_until_the_host_has_been_proven(tmp_path: Path) -> None:
    """A call that comes before that is served once it is known."""
    system, _ = await strict(tmp_path)
    call = asyncio.create_task(system.execute())
    await asyncio.sleep(2)
    assert not call.done()
    assert system.engine.boxes(ALICE) == []
    await system.daemon.capabilities.prove()
    assert (await call).state is ExecutionState.SUCCEEDED
    await system.stop()


async def test_one_that_has_lost_its_limits_ends_at_the_next_idle_moment(tmp_path: Path) -> None:
    """Delegation was taken away under it: its call ends in peace, then it stops, and the host is proven anew."""
    system, entry = await strict(tmp_path)
    watching = asyncio.create_task(system.daemon.capabilities.watch())
    await system.execute()
    (box,) = system.engine.boxes(ALICE)
    assert isinstance(box, Running)
    group = system.cgroups.behind(box)
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute())
        await until(lambda: system.runtime().inflight == 1)
        group.ceilings, group.refuses = Ceilings(pids=128), {"memory_bytes", "swap_bytes", "cpus"}
        await until(lambda: "workspace.limits_refused" in system.actions(), 10)
        assert system.engine.running() == {ALICE}
        system.engine.matrix = [Capability("memory", Level.ABSENT, "Gone.")]
    assert (await call).state is ExecutionState.SUCCEEDED
    await until(lambda: system.engine.running() == set(), 10)
    await until(lambda: entry.unit.phase is Phase.ERROR, 70)
    await asyncio.sleep(200)
    assert system.engine.calls.count(("create", ALICE)) == 1
    watching.cancel()
    await system.stop()
