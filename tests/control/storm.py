"""A seeded storm over a daemon: calls, people, deaths, hangs, outages, restarts; and what must always hold."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.fakes.channel import FakeChannel, Mood
from tests.fakes.daemon import FakeDaemon, until
from tests.fakes.engine import FakeEngine
from wsmgr.control.entry import Entry
from wsmgr.core.errors import EngineFailure, StoreUnavailable, WsmgrError
from wsmgr.core.execution import Execution
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import Absent, Desired, Endpoint, Running, Spec

FREE_MB = 128
OWNERS = 6
ROOM = 4
ASKED_S = 40.0
"""For how long after a person's word a stop is that person's: calls may hold the engine up meanwhile."""


class Witness(FakeEngine):
    """Says at every step whether it was allowed; `forbidden` gathers what was not."""

    def __init__(self, isolation: Isolation, storm: Storm) -> None:
        super().__init__(isolation)
        self.forbidden: list[str] = []
        self._storm = storm

    async def create(self, spec: Spec) -> str:
        """Never over one that runs."""
        if any(isinstance(box, Running) for box in self.boxes(spec.workspace)):
            self.forbidden.append(f"create over a running {spec.workspace}")
        if self._storm.exhausted(spec.workspace, self.isolation):
            self.forbidden.append(f"create of {spec.workspace} beyond its budget")
        handle = await super().create(spec)
        if len(self.boxes(spec.workspace)) > 1:
            self.forbidden.append(f"two containers for {spec.workspace}")
        return handle

    async def stop(self, handle: str, grace_s: float) -> None:
        """Never under a call, unless somebody asked for it or the instance is sick."""
        box = self._boxes.get(handle)
        if box is not None and isinstance(box.observed, Running):
            endpoint, workspace = box.observed.endpoint, box.spec.workspace
            if self._storm.channel.runtime(endpoint).inflight and not self._storm.may_cut(workspace, endpoint):
                self.forbidden.append(f"stop of {workspace} under a call")
        await super().stop(handle, grace_s)


class Storm(FakeDaemon):
    """One run. `asked`: when a person last had a workspace stopped or replaced; `sick`: instances that were harmed."""

    def __init__(self, state_dir: Path, seed: int) -> None:
        super().__init__(state_dir, memory_mb=ROOM * FREE_MB, memory_budget=1)
        self._state_dir = state_dir
        self.draw = random.Random(seed)  # noqa: S311  # a seed, so that a failure comes again
        self.channel = FakeChannel(latency_s=0.4)
        self.engine = self.container = Witness(Isolation.CONTAINER, self)
        self.worker = self.stand_in = Witness(Isolation.WORKER, self)
        self.daemon = self._compose()
        self.asked: dict[WorkspaceId, float] = {}
        self.sick: set[Endpoint] = set()
        self.calls: set[asyncio.Task[Execution]] = set()
        self.answers: list[Execution | WsmgrError] = []
        self.defects: list[BaseException] = []

    @property
    def workspaces(self) -> list[WorkspaceId]:
        """Whose they are."""
        return [WorkspaceId(f"user:u{n}") for n in range(OWNERS)]

    def exhausted(self, workspace: WorkspaceId, isolation: Isolation) -> bool:
        """Whether its restart budget is used up."""
        entry = self.daemon.fleet.find(workspace)
        return entry is not None and entry.unit_on(isolation).exhausted

    def may_cut(self, workspace: WorkspaceId, endpoint: Endpoint) -> bool:
        """Whether a stop may end calls there."""
        recent = asyncio.get_running_loop().time() - self.asked.get(workspace, -1e9) < ASKED_S
        return recent or endpoint in self.sick or self.daemon.executions.refusing

    async def rage(self, steps: int) -> None:
        """So many random acts."""
        acts: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (40, self._call),
            (6, self._burst),
            (5, self._die),
            (4, self._hang),
            (4, self._outage),
            (3, self._refuse),
            (2, self._store_fails),
            (8, self._person),
            (2, self._crash),
            (1, self._restart),
        ]
        weights = [weight for weight, _ in acts]
        for _ in range(steps):
            (_, act) = self.draw.choices(acts, weights)[0]
            await act()
            pause = self.draw.choice([0.0, 0.0, 0.1, 0.5, 2.0, 5.0, 70.0])
            await asyncio.sleep(self.draw.uniform(0, pause))

    async def calm(self) -> None:
        """A willing engine and healthy runtimes; then every call has its answer and every wish is reached."""
        self.engine.down = None
        self.engine._failures.clear()
        self.store._failures.clear()
        for workspace in self.workspaces:
            for box in self.engine.boxes(workspace) + self.worker.boxes(workspace):
                if isinstance(box, Running) and self.channel.runtime(box.endpoint).mood is Mood.SILENT:
                    self.channel.runtime(box.endpoint).mood = Mood.WELL
        await until(lambda: not self.calls, 400)
        for entry in self.daemon.fleet:
            if entry.serving.exhausted:
                await self.daemon.workspaces.recover(entry.record.id, "uid:0", 30)
        try:
            await until(lambda: all(self._reached(entry) for entry in self.daemon.fleet), 60)
        except TimeoutError:
            late = [entry for entry in self.daemon.fleet if not self._reached(entry)]
            raise AssertionError(
                [(e.record.id, e.record.desired, e.serving.phase, e.serving.reason) for e in late]
            ) from None

    def orphans(self) -> set[WorkspaceId]:
        """What has a container and is in no record."""
        known = {entry.record.id for entry in self.daemon.fleet}
        return {w for w in self.workspaces if w not in known and (self.engine.boxes(w) or self.worker.boxes(w))}

    def _reached(self, entry: Entry) -> bool:
        if entry.record.desired is Desired.RUNNING:
            return entry.serving.endpoint is not None and len(self.engine.boxes(entry.record.id)) == 1
        return all(unit.belief == Absent() for unit in entry.units.values()) and not (
            self.engine.boxes(entry.record.id) or self.worker.boxes(entry.record.id)
        )

    # --- acts ---------------------------------------------------------------------------------------------------

    async def _call(self) -> None:
        name = f"n{self.draw.random()}" if self.draw.random() < 0.3 else None
        task = asyncio.create_task(self.execute(self.draw.choice(self.workspaces), id=name))
        self.calls.add(task)
        task.add_done_callback(self._ended)

    async def _burst(self) -> None:
        for _ in range(self.draw.randint(5, 20)):
            await self._call()

    async def _die(self) -> None:
        running = sorted(self.engine.running())
        if running:
            self.die(self.draw.choice(running), self.draw.choice([1, 137, 139]), oom_killed=self.draw.random() < 0.3)

    async def _hang(self) -> None:
        for workspace in sorted(self.engine.running())[:1]:
            for box in self.engine.boxes(workspace):
                if isinstance(box, Running):
                    self.sick.add(box.endpoint)
                    self.channel.runtime(box.endpoint).mood = Mood.SILENT

    async def _outage(self) -> None:
        self.engine.down = None if self.engine.down else "Podman does not answer."

    async def _refuse(self) -> None:
        self.engine.fail(self.draw.choice(["create", "start", "stop", "remove"]), EngineFailure("It refuses."))

    async def _store_fails(self) -> None:
        self.store.fail_next("put_workspace", StoreUnavailable("The disk is full."))

    async def _person(self) -> None:
        workspace, verbs = self.draw.choice(self.workspaces), self.daemon.workspaces
        verb = self.draw.choice(["start", "stop", "restart", "delete", "recover", "touch"])
        if verb in {"stop", "restart", "delete"}:
            self.asked[workspace] = asyncio.get_running_loop().time()
        try:
            if verb == "touch":
                await verbs.touch(workspace)
            elif verb == "delete":
                await verbs.delete(workspace, "uid:0", 1)
            else:
                await getattr(verbs, verb)(workspace, "uid:0")
        except WsmgrError as error:
            self.answers.append(error)

    async def _crash(self) -> None:
        for call in self.calls:
            call.cancel()
        await asyncio.gather(*self.calls, return_exceptions=True)
        await self.crash()
        await self._successor()

    async def _restart(self) -> None:
        await self.stop(keep=self.draw.random() < 0.5)
        await self._successor()

    async def _successor(self) -> None:
        # A closed channel is the last daemon's; the runtimes behind it are the same.
        self.channel.closed = False
        self.channel._broken.clear()
        self.daemon = self._compose()
        await self.start()

    def _ended(self, call: asyncio.Task[Execution]) -> None:
        self.calls.discard(call)
        if call.cancelled():
            return
        error = call.exception()
        if error is None:
            self.answers.append(call.result())
        elif isinstance(error, WsmgrError):
            self.answers.append(error)
        else:
            self.defects.append(error)
