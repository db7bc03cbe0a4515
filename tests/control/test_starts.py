"""Turns for starting: bounded, and fair between owners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon, until
from tests.fakes.engine import FakeEngine
from wsmgr.control.starts import Starts
from wsmgr.control.unit import Unit
from wsmgr.core.execution import ExecutionState
from wsmgr.core.ids import OwnerKey, WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.limits import FREE, Plan
from wsmgr.core.workspace import Absent, Desired, Spec

ROOMY = Plan("FREE", replace(FREE.limits, max_workspaces=100))
STEP_S = 0.2


class SlowEngine(FakeEngine):
    """Creates and starts take their time; `most` is how many were under way at once."""

    under_way = 0
    most = 0

    async def create(self, spec: Spec) -> str:
        """Slowly."""
        await self._slowly()
        return await super().create(spec)

    async def start(self, handle: str) -> None:
        """Slowly."""
        await self._slowly()
        await super().start(handle)

    async def _slowly(self) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(STEP_S)
        finally:
            self.under_way -= 1


class SlowDaemon(FakeDaemon):
    """On such an engine."""

    def __init__(self, state_dir: Path, **settings: object) -> None:
        super().__init__(state_dir, **settings)  # type: ignore[arg-type]  # settings by name
        self.slow = SlowEngine(Isolation.CONTAINER)
        self.engine = self.slow
        self.daemon = self._compose()


@pytest.fixture
async def slow(tmp_path: Path) -> AsyncIterator[SlowDaemon]:
    """Two starts at once, owners with many workspaces."""
    slow = SlowDaemon(tmp_path)
    await slow.start()
    for owner in ("user:alice", "user:bob"):
        await slow.put(owner)
    yield slow
    await slow.stop()


async def burst(slow: SlowDaemon, count: int) -> list[WorkspaceId]:
    """Ask for so many workspaces of alice at once."""
    every = [WorkspaceId(f"user:alice~n{n}") for n in range(count)]
    for workspace in every:
        (await slow.daemon.fleet.ensure(workspace))[0].plan = ROOMY
        await slow.daemon.workspaces.put(workspace, Desired.RUNNING, "uid:0")
    return every


async def test_one_owners_burst_does_not_starve_another(slow: SlowDaemon) -> None:
    """Forty of alice's, and bob's single call is served as though there were a few."""
    clock = asyncio.get_running_loop()
    every = await burst(slow, 40)
    asked = clock.time()
    assert (await slow.execute("user:bob")).state is ExecutionState.SUCCEEDED
    assert clock.time() - asked < 8 * STEP_S
    made = sum(len(slow.engine.boxes(workspace)) for workspace in every)
    assert len(slow.engine.running()) < 10
    assert 1 <= made <= len(slow.engine.running()) + 2
    await until(lambda: len(slow.engine.running()) == 41)
    assert clock.time() - asked > 41 * STEP_S
    assert slow.slow.most == 2


async def test_who_waits_says_so_and_is_let_go(slow: SlowDaemon) -> None:
    """A workspace that is stopped while it waits for its turn is never made."""
    every = await burst(slow, 10)
    last = slow.daemon.fleet.get(every[-1])
    await until(lambda: "turn" in last.unit.reason)
    await slow.daemon.workspaces.stop(every[-1], "uid:0", 0.1)
    assert last.unit.belief == Absent()
    await until(lambda: len(slow.engine.running()) == 9)
    assert ("create", every[-1]) not in slow.engine.calls


async def test_a_failing_start_gives_its_turn_back(slow: SlowDaemon) -> None:
    """However it fails."""
    slow.engine.fail("create", RuntimeError("a defect"), times=2)
    slow.engine.down = None
    every = await burst(slow, 6)
    await until(lambda: slow.engine.running() == set(every))


async def test_a_daemon_stops_while_starts_wait(slow: SlowDaemon) -> None:
    """Nothing is made any more, and nothing is left."""
    every = await burst(slow, 20)
    await asyncio.sleep(1)
    before = asyncio.get_running_loop().time()
    assert await slow.daemon.workspaces.stop_all(10) == 0
    assert asyncio.get_running_loop().time() - before < 2
    assert all(slow.engine.boxes(workspace) == [] for workspace in every)


def test_owners_take_turns_and_within_one_the_first_comes_first() -> None:
    """Round robin, whatever the order of arrival."""
    starts, woken = Starts(1), []

    def claim(owner: str, name: str) -> bool:
        unit = units.setdefault(name, Unit(WorkspaceId(name), Isolation.CONTAINER, None))
        return starts.claim(unit, OwnerKey(owner), lambda: woken.append(name))

    units: dict[str, Unit] = {}
    assert claim("a", "a0")
    assert not any(claim("a", name) for name in ("a1", "a2", "a3"))
    assert not any(claim("b", name) for name in ("b1", "b2"))
    assert not claim("a", "a1")
    assert starts.waiting(Isolation.CONTAINER) == 5
    starts.leave(units["b2"], OwnerKey("b"))
    for owner, name in (("a", "a0"), ("a", "a1"), ("b", "b1"), ("a", "a2"), ("a", "a3")):
        assert claim(owner, name)
        starts.leave(units[name], OwnerKey(owner))
    assert woken == ["a1", "b1", "a2", "a3"]
    assert starts.waiting(Isolation.CONTAINER) == 0
    other = Unit(WorkspaceId("a0"), Isolation.WORKER, None)
    assert claim("a", "a0")
    assert starts.claim(other, OwnerKey("a"), lambda: None)
