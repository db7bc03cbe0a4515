"""A whole daemon on fakes, composed by the product's own composition root."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.fakes.caller import FakeCaller
from tests.fakes.cgroup import FakeCgroups
from tests.fakes.channel import FakeChannel, FakeRuntime
from tests.fakes.clock import LoopClock
from tests.fakes.engine import FakeEngine
from tests.fakes.meter import FakeMeter, InlineOffload
from tests.fakes.notifier import FakeNotifier
from tests.fakes.plans import FakePlans
from tests.fakes.store import FakeStore
from tests.fakes.vault import FakeVault
from tests.fakes.volumes import FakeVolumes
from wsmgr.bootstrap.compose import Adapters, compose
from wsmgr.control.daemon import Daemon
from wsmgr.control.request import Request
from wsmgr.core.execution import Execution
from wsmgr.core.ids import ExecutionId, Slug, Version, WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.plugin import Language
from wsmgr.core.workspace import Running
from wsmgr.settings import Settings

CODE = "export default (input) => input"


class FakeDaemon:
    """`store`, `channel`, `engine`, `worker` and `cgroups` are programmable; `daemon` is the real thing on top of them.
    `freezable`: the host has control groups."""

    def __init__(
        self,
        state_dir: Path,
        *,
        clock: LoopClock | None = None,
        memory_mb: float | None = None,
        freezable: bool = False,
        cgroups: FakeCgroups | None = None,
        **settings: object,
    ) -> None:
        self.store = FakeStore()
        self.channel = FakeChannel()
        self._clock = clock or LoopClock()
        self.engine = FakeEngine(Isolation.CONTAINER, now=self._clock.now)
        self.worker = FakeEngine(Isolation.WORKER, now=self._clock.now)
        self._memory_mb = memory_mb
        self.cgroups = cgroups or FakeCgroups(
            absent=not freezable, ceilings=lambda running: self.engine.spec_of(running.handle).ceilings
        )
        self.notifier = FakeNotifier()
        self.caller: FakeCaller | None = FakeCaller()
        self.plans = FakePlans()
        self.meter = FakeMeter()
        self.volumes = FakeVolumes()
        self.vault = FakeVault()
        self.offload = InlineOffload()
        self.settings = Settings(state_dir=state_dir, socket=state_dir / "api.sock", **settings)  # type: ignore[arg-type]
        self.daemon = self._compose()

    def adopt_world_of(self, other: FakeDaemon) -> None:
        """Before `start`: take over the store, the engines and the runtimes of a daemon that died."""
        self.store, self.channel, self.engine, self.worker = other.store, other.channel, other.engine, other.worker
        self.notifier, self.cgroups, self.plans = other.notifier, other.cgroups, other.plans
        self.meter, self.volumes, self.vault = other.meter, other.volumes, other.vault
        self.caller = other.caller
        self.daemon = self._compose()

    def _compose(self) -> Daemon:
        engines = {Isolation.CONTAINER: self.engine, Isolation.WORKER: self.worker}
        parts = Adapters(
            self.store,
            self.channel,
            engines,
            self.cgroups,
            self._clock,
            self.plans,
            self.meter,
            self.volumes,
            self.vault,
            memory_mb=self._memory_mb,
            notifier=self.notifier,
            caller=self.caller,
            offload=self.offload,
        )
        return compose(self.settings, parts)

    async def start(self) -> FakeDaemon:
        """Start the real lifecycle."""
        await self.daemon.lifecycle.start()
        return self

    async def stop(self, *, keep: bool = False, deadline_s: float = 10.0) -> None:
        """Stop it."""
        await self.daemon.lifecycle.stop(deadline_s, keep=keep)
        await self.daemon.lifecycle.close()

    async def crash(self) -> None:
        """As after kill -9: its tasks end where they are, and nothing is closed or stored."""
        self.daemon.executions.refuse()
        for task in [*self.daemon.lifecycle._tasks, *self.daemon.queue._tries]:
            task.cancel()
        await asyncio.gather(*self.daemon.queue._tries, return_exceptions=True)
        await self.daemon.lifecycle._reconciler.close()

    async def put(self, workspace: str = "user:alice", slug: str = "echo", code: str = CODE) -> Version:
        """Store a plugin."""
        put = await self.daemon.plugins.put(WorkspaceId(workspace), Slug(slug), Language.JAVASCRIPT, code, "uid:0")
        return put.version.version

    async def execute(self, workspace: str = "user:alice", slug: str = "echo", **more: object) -> Execution:
        """Run a call; `more` are fields of Request."""
        return await self.daemon.executions.run(request(workspace, slug, **more))

    def runtime(self, workspace: str = "user:alice", engine: FakeEngine | None = None) -> FakeRuntime:
        """The fake runtime of a workspace that runs."""
        for box in (engine or self.engine).boxes(WorkspaceId(workspace)):
            if isinstance(box, Running):
                return self.channel.runtime(box.endpoint)
        raise AssertionError(f"{workspace} does not run")

    def instance(self, workspace: str = "user:alice") -> str:
        """The instance that runs for a workspace, as the meter knows it."""
        for box in self.engine.boxes(WorkspaceId(workspace)):
            if isinstance(box, Running):
                return box.endpoint.instance
        raise AssertionError(f"{workspace} does not run")

    def die(self, workspace: str = "user:alice", exit_code: int = 1, *, oom_killed: bool = False) -> None:
        """The container ends by itself: its process, and with it what listens."""
        for box in self.engine.boxes(WorkspaceId(workspace)):
            if isinstance(box, Running):
                self.engine.die(WorkspaceId(workspace), exit_code, oom_killed=oom_killed)
                self.channel.kill(box.endpoint)

    def actions(self) -> list[str]:
        """What was recorded in the audit trail, oldest first."""
        return [event.action for event in self.store.all_events]


def request(workspace: str = "user:alice", slug: str = "echo", **more: object) -> Request:
    """A call with plain members."""
    members: dict[str, object] = {
        "user": "alice",
        "version": None,
        "inline": None,
        "input": {"n": 1},
        "context": {},
        "timeout_ms": None,
        "id": None,
        "fingerprint": "f",
        "size": 100,
        **more,
    }
    if isinstance(members["id"], str):
        members["id"] = ExecutionId(members["id"])
    return Request(workspace=WorkspaceId(workspace), slug=Slug(slug), **members)  # type: ignore[arg-type]


async def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait, in the loop's time, until something holds."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  # what is awaited is state of the system under test, which sends no event
            await asyncio.sleep(0.01)
