"""An engine in memory that tests program: failures, hangs, outages, processes that die."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from wsmgr.core.capability import Capability, Level
from wsmgr.core.errors import EngineFailure, EngineUnavailable
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.versions import EngineVersions
from wsmgr.core.workspace import Absent, Created, Endpoint, Exited, Found, Observed, Running, Spec

CAPABILITIES = ("memory", "cpu", "pids", "freeze", "network", "scratch", "channel")


@dataclass(frozen=True)
class Script:
    """What the main process of a workspace does once started. `exit_code`: it ends at once with that code."""

    exit_code: int | None = None
    oom_killed: bool = False
    ignores_sigterm: bool = False
    lines: tuple[str, ...] = ("the test runtime started",)


@dataclass
class _Box:
    spec: Spec
    observed: Created | Running | Exited
    lines: list[str]


class FakeEngine:
    """Behaves as the contract says, and records every call in `calls` as (method, workspace id or handle).

    `down`: while set, every method raises EngineUnavailable with this sentence.
    """

    def __init__(
        self,
        isolation: Isolation = Isolation.CONTAINER,
        *,
        script: Callable[[Spec], Script] = lambda _spec: Script(),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        capabilities: Sequence[Capability] | None = None,
    ) -> None:
        self.calls: list[tuple[str, str]] = []
        self.down: str | None = None
        self.without_sandbox = False
        self._isolation = isolation
        self._script = script
        self._now = now
        self.matrix = capabilities
        self._boxes: dict[str, _Box] = {}
        self._failures: dict[str, deque[Exception]] = defaultdict(deque)
        self._held: dict[str, asyncio.Event] = {}
        self._numbers = itertools.count(1)

    # --- what tests program -------------------------------------------------------------------------------------

    def spec_of(self, handle: str) -> Spec:
        """What a box was made from."""
        return self._boxes[handle].spec

    def fail(self, method: str, error: Exception, times: int = 1) -> None:
        """The next `times` calls of `method` raise `error` and do nothing."""
        self._failures[method].extend([error] * times)

    @contextmanager
    def held(self, method: str) -> Iterator[None]:
        """Inside the block calls of `method` wait before they do anything; they go on at its end."""
        gate = self._held[method] = asyncio.Event()
        try:
            yield
        finally:
            del self._held[method]
            gate.set()

    def program(self, script: Callable[[Spec], Script]) -> None:
        """From now on main processes follow this script."""
        self._script = script

    def die(self, workspace: WorkspaceId, exit_code: int = 1, *, oom_killed: bool = False) -> None:
        """The main process of a running workspace ends by itself."""
        box = self._box_of(workspace)
        assert box is not None, f"{workspace} was not made"
        assert isinstance(box.observed, Running), f"{workspace} does not run"
        self._end(box, exit_code, oom_killed=oom_killed)

    def adopt(self, spec: Spec, *, started: bool = True) -> str:
        """A container that an earlier daemon left behind: half made, or running when `started`. Returns its handle."""
        handle = self._make(spec)
        if started:
            self._run(self._boxes[handle])
        return handle

    def running(self) -> set[WorkspaceId]:
        """Which workspaces run now."""
        return {box.spec.workspace for box in self._boxes.values() if isinstance(box.observed, Running)}

    def boxes(self, workspace: WorkspaceId) -> list[Created | Running | Exited]:
        """What there is for a workspace: more than one would be a defect of the caller."""
        return [box.observed for box in self._boxes.values() if box.spec.workspace == workspace]

    def listener(self, at: Endpoint) -> int:
        """The uid behind a live endpoint. Raises ConnectionRefusedError when no runtime is there."""
        for box in self._boxes.values():
            if isinstance(box.observed, Running) and box.observed.endpoint == at:
                return at.uid
        raise ConnectionRefusedError(at.instance)

    # --- the port -----------------------------------------------------------------------------------------------

    @property
    def isolation(self) -> Isolation:
        """As constructed."""
        return self._isolation

    @property
    def sandboxed(self) -> bool:
        """As `without_sandbox` says."""
        return not self.without_sandbox

    @property
    def versions(self) -> EngineVersions | None:
        """Once it was asked for its capabilities."""
        asked = any(name == "capabilities" for name, _ in self.calls)
        return EngineVersions("fake 1.0", "none at all") if asked else None

    async def open(self) -> None:
        """Nothing to open."""
        await self._called("open", "")

    async def close(self) -> None:
        """Nothing to close; not subject to `down`."""
        self.calls.append(("close", ""))

    async def ping(self) -> None:
        """Answers unless `down`."""
        await self._called("ping", "")

    async def list(self) -> Sequence[Found]:
        """All boxes."""
        await self._called("list", "")
        return [Found(box.spec.workspace, box.observed) for box in self._boxes.values()]

    async def observe(self, workspace: WorkspaceId) -> Observed:
        """The box of that workspace."""
        await self._called("observe", workspace)
        box = self._box_of(workspace)
        return Absent() if box is None else box.observed

    async def create(self, spec: Spec) -> str:
        """Makes a box; refuses a second one of another digest."""
        await self._called("create", spec.workspace)
        box = self._box_of(spec.workspace)
        if box is None:
            return self._make(spec)
        if box.observed.digest != spec.digest:
            raise EngineFailure(f"{spec.workspace} exists with another specification; remove it first.")
        return box.observed.handle

    async def start(self, handle: str) -> None:
        """Runs the script of the spec."""
        await self._called("start", handle)
        box = self._boxes.get(handle)
        if box is None:
            raise EngineFailure(f"There is no container {handle}; make it again.")
        if isinstance(box.observed, Running):
            return
        self._run(box)

    async def stop(self, handle: str, grace_s: float) -> None:
        """Ends it with 0, or with 137 after the grace when the script ignores SIGTERM."""
        await self._called("stop", handle)
        box = self._boxes.get(handle)
        if box is None or not isinstance(box.observed, Running):
            return
        stubborn = self._script(box.spec).ignores_sigterm
        if stubborn:
            await asyncio.sleep(grace_s)
        self._end(box, 137 if stubborn else 0, oom_killed=False)

    async def remove(self, handle: str) -> None:
        """Forgets the box."""
        await self._called("remove", handle)
        self._boxes.pop(handle, None)

    async def logs(self, workspace: WorkspaceId, lines: int) -> Sequence[str]:
        """The lines of the script."""
        await self._called("logs", workspace)
        box = self._box_of(workspace)
        return [] if box is None or lines <= 0 else box.lines[-lines:]

    async def capabilities(self) -> Sequence[Capability]:
        """What was given, or everything enforced."""
        await self._called("capabilities", "")
        if self.matrix is not None:
            return self.matrix
        return [Capability(name, Level.ENFORCED, "this engine is a fake") for name in CAPABILITIES]

    # --- inside -------------------------------------------------------------------------------------------------

    async def _called(self, method: str, about: str) -> None:
        self.calls.append((method, about))
        gate = self._held.get(method)
        # Yields once even when nothing is held: a real engine never answers within one step of the loop.
        await (asyncio.sleep(0) if gate is None else gate.wait())
        if self.down is not None:
            raise EngineUnavailable(self.down)
        if self._failures[method]:
            raise self._failures[method].popleft()

    def _box_of(self, workspace: WorkspaceId) -> _Box | None:
        return next((box for box in self._boxes.values() if box.spec.workspace == workspace), None)

    def _make(self, spec: Spec) -> str:
        handle = f"box-{next(self._numbers)}"
        self._boxes[handle] = _Box(spec, Created(handle, spec.digest), [])
        return handle

    def _run(self, box: _Box) -> None:
        script = self._script(box.spec)
        handle, number = box.observed.handle, next(self._numbers)
        endpoint = Endpoint(100_000 + number, "/run/wsmgr/api.sock", 200_000 + box.spec.uid, f"{handle}#{number}")
        box.observed = Running(handle, box.spec.digest, endpoint, self._now())
        box.lines.extend(script.lines)
        if script.exit_code is not None:
            self._end(box, script.exit_code, oom_killed=script.oom_killed)

    def _end(self, box: _Box, exit_code: int, *, oom_killed: bool) -> None:
        box.observed = Exited(box.observed.handle, box.spec.digest, exit_code, oom_killed)
