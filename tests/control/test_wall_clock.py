"""Somebody sets the wall clock, an hour back or a day forth: no restart, idle stop, deadline or alert depends on it.

A scenario is run twice, with a steady wall clock and with one that is set at random moments. What the engine and the
runtimes are asked, and when to the last digit, and what is recorded must be the same.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.channel import FakeChannel, Mood
from tests.fakes.clock import ExactLoop, LoopClock
from tests.fakes.daemon import FakeDaemon
from tests.fakes.engine import FakeEngine
from wsmgr.core.errors import WsmgrError
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.limits import FREE, Plan
from wsmgr.core.workspace import Desired

USERS = ("alice", "bob")
BRIEF = Plan("FREE", replace(FREE.limits, idle_timeout_s=6))
ACTS = ("call", "named call", "die", "oom", "hang", "outage", "recover", "stop", "touch", "crash of the daemon")


@dataclass(frozen=True)
class Moment:
    """`pause_s` seconds after the one before, something happens to a user's workspace, and the wall clock is set."""

    pause_s: float
    user: str
    act: str
    step_s: int


MOMENTS = st.lists(
    st.builds(
        Moment,
        pause_s=st.sampled_from([0.0, 0.3, 1.0, 2.5, 7.0, 40.0]),
        user=st.sampled_from(USERS),
        act=st.sampled_from(ACTS),
        step_s=st.sampled_from([0, 3600, -3600, 86_400, -86_400, 59]),
    ),
    min_size=2,
    max_size=12,
)


class SetClock(LoopClock):
    """A wall clock that can be set; the monotonic one goes on."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def now(self) -> datetime:
        """The wall time."""
        return super().now() + self.offset


class TimedEngine(FakeEngine):
    """Notes when it is called."""

    def __init__(self, isolation: Isolation) -> None:
        super().__init__(isolation)
        self.times: list[tuple[float, str, str]] = []

    async def _called(self, method: str, about: str) -> None:
        self.times.append((asyncio.get_running_loop().time(), method, about))
        await super()._called(method, about)


class Scene:
    """One run of a scenario."""

    def __init__(self, folder: Path, *, stepping: bool) -> None:
        self.clock = SetClock()
        self._folder = folder
        self._stepping = stepping
        self._system = FakeDaemon(folder, clock=self.clock)
        self._system.channel = FakeChannel(latency_s=0.2)
        self._engine = self._system.engine = TimedEngine(Isolation.CONTAINER)
        self._worker = self._system.worker = TimedEngine(Isolation.WORKER)
        self._system.daemon = self._system._compose()
        self._calls: list[asyncio.Task[object]] = []
        self.answers: list[str] = []

    async def play(self, moments: Sequence[Moment]) -> list[object]:
        """What happened, from the start to a long rest at the end."""
        await self._system.start()
        for user in USERS:
            await self._system.put(f"user:{user}")
            (await self._system.daemon.fleet.ensure(WorkspaceId(f"user:{user}")))[0].plan = BRIEF
        for moment in moments:
            await asyncio.sleep(moment.pause_s)
            if self._stepping:
                self.clock.offset += timedelta(seconds=moment.step_s)
            await self._act(moment)
        await asyncio.sleep(200)
        await asyncio.gather(*self._calls)
        phases = [(e.record.id, e.unit.phase, e.unit.restarts, e.record.desired) for e in self._system.daemon.fleet]
        seen = [self._engine.times, self._worker.times, self._asked(), self.answers, phases, self._system.actions()]
        await self._system.stop()
        return seen

    def _asked(self) -> list[tuple[str, int]]:
        return [(method, at.pid) for method, at in self._system.channel.asked]

    async def _act(self, moment: Moment) -> None:
        system, workspace = self._system, WorkspaceId(f"user:{moment.user}")
        match moment.act:
            case "call" | "named call":
                name = f"n{len(self._calls)}" if moment.act == "named call" else None
                self._calls.append(asyncio.create_task(self._call(workspace, name)))
            case "die" | "oom" if workspace in system.engine.running():
                system.die(workspace, 137, oom_killed=moment.act == "oom")
            case "hang" if workspace in system.engine.running():
                system.runtime(workspace).mood = Mood.SILENT
            case "outage":
                system.engine.down = None if system.engine.down else "Podman does not answer."
            case "recover" | "stop" if system.daemon.fleet.find(workspace) is not None:
                await getattr(system.daemon.workspaces, moment.act)(workspace, "uid:0")
            case "touch" if system.daemon.fleet.find(workspace) is not None:
                await system.daemon.workspaces.touch(workspace)
            case "crash of the daemon":
                await self._crash()
            case _:
                return

    async def _call(self, workspace: WorkspaceId, name: str | None) -> None:
        try:
            record = await self._system.execute(workspace, id=name)
        except WsmgrError as error:
            self.answers.append(error.code)
        else:
            self.answers.append(record.state.value)

    async def _crash(self) -> None:
        await asyncio.gather(*self._calls)
        await self._system.crash()
        self._system.channel.closed = False
        successor = FakeDaemon(self._folder, clock=self.clock)
        successor.adopt_world_of(self._system)
        self._system = await successor.start()
        for entry in self._system.daemon.fleet:
            entry.plan = BRIEF


def played(moments: Sequence[Moment], *, stepping: bool) -> list[object]:
    """The same scenario in a fresh loop of virtual time."""
    loop = ExactLoop()
    with tempfile.TemporaryDirectory() as folder:
        try:
            return loop.run_until_complete(_play(Path(folder), moments, stepping=stepping))
        finally:
            loop.close()


async def _play(folder: Path, moments: Sequence[Moment], *, stepping: bool) -> list[object]:
    return await Scene(folder, stepping=stepping).play(moments)


@given(MOMENTS)
@settings(max_examples=30)
@pytest.mark.slow
def test_a_step_of_the_wall_clock_changes_no_decision(moments: list[Moment]) -> None:
    """Neither what is done, nor when, nor what callers are told."""
    assert played(moments, stepping=True) == played(moments, stepping=False)


def test_the_scene_does_depend_on_the_monotonic_clock() -> None:
    """The control: what is compared changes when a pause does, and holds an idle stop and a restart."""
    moments = [Moment(0.0, "alice", "call", 3600), Moment(1.0, "alice", "die", -3600), Moment(1.0, "alice", "call", 0)]
    longer = [*moments[:2], replace(moments[2], pause_s=9.0)]
    first, second = played(moments, stepping=False), played(longer, stepping=False)
    assert first != second
    assert {"workspace.failed", "workspace.idle_stop"} <= set(first[5])  # type: ignore[call-overload]
    assert Desired.STOPPED in {desired for *_, desired in first[4]}  # type: ignore[attr-defined]
