"""The engine of the isolation `worker`: one sandboxed runtime for each workspace, a child of the daemon."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from wsmgr.adapters.worker import evidence
from wsmgr.adapters.worker.box import Box, Run
from wsmgr.adapters.worker.launcher import Launcher
from wsmgr.adapters.worker.plain import PlainLauncher
from wsmgr.adapters.worker.programs import Launchers
from wsmgr.adapters.worker.runtime import Program, node_program
from wsmgr.adapters.worker.sandbox import SandboxLauncher
from wsmgr.adapters.worker.system import libraries, modules
from wsmgr.core.capability import Capability
from wsmgr.core.errors import EngineFailure, EngineUnavailable
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.runtime import Runtime
from wsmgr.core.versions import EngineVersions
from wsmgr.core.workspace import Absent, Found, Observed, Spec


class WorkerEngine:
    """Runs runtimes in bubblewrap; where it cannot, as plain processes, and says so in its capabilities.

    `node` is the Node.js binary, `runtime` the folder of its main file, `python` the runtime of Python plugins where
    this host has one, `state` a folder of this daemon's own that it may empty, `instance` the daemon's name,
    `bwrap` the program, by name or path.
    """

    def __init__(
        self,
        *,
        node: Path,
        runtime: Path,
        state: Path,
        instance: str,
        bwrap: str = "bwrap",
        main: str = "main.mjs",
        python: Program | None = None,
    ) -> None:
        self._program = node_program(node, runtime, main)
        programs = {Runtime.NODE: self._program} | ({} if python is None else {Runtime.PYTHON: python})
        self._plain = PlainLauncher(self._program, state / f"{instance}-worker")
        self._launchers = Launchers(programs, self._make)
        self._state = state
        self._sockets = state / f"{instance}-sockets"
        self._instance = instance
        self._bwrap = bwrap
        self._launcher: Launcher | None = None
        self._why_plain: str | None = None
        self._boxes: dict[str, Box] = {}
        self._runs = itertools.count(1)

    @property
    def isolation(self) -> Isolation:
        """WORKER."""
        return Isolation.WORKER

    @property
    def sandboxed(self) -> bool:
        """Whether bubblewrap was seen to run here."""
        return self._launcher is not None and self._launcher is not self._plain

    @property
    def versions(self) -> EngineVersions | None:
        """None: the daemon itself is this engine."""
        return None

    async def open(self) -> None:
        """Find out, by trying, whether sandboxes can be made here."""
        if self._launcher is not None:
            return
        self._program.check()
        try:
            self._launcher = await self._sandbox()
        except EngineFailure as failure:
            self._why_plain = failure.sentence
            self._plain.open()
            self._launcher = self._plain
        self._launchers.add(Runtime.NODE, self._launcher)

    async def close(self) -> None:
        """End every runtime at once; nothing of them outlives the daemon."""
        boxes = list(self._boxes.values())
        await asyncio.gather(*(self.stop(box.handle, 0.0) for box in boxes))
        self._boxes.clear()

    async def ping(self) -> None:
        """There is nobody else to ask: it works once it is open."""
        self._opened()

    async def list(self) -> Sequence[Found]:
        """All workspaces that this process made."""
        return [Found(box.spec.workspace, box.observed(os.getuid())) for box in self._boxes.values()]

    async def observe(self, workspace: WorkspaceId) -> Observed:
        """The state of one workspace."""
        box = self._box_of(workspace)
        return Absent() if box is None else box.observed(os.getuid())

    async def create(self, spec: Spec) -> str:
        """Only recorded: a process has no state before it starts."""
        box = self._box_of(spec.workspace)
        if box is None:
            box = Box(spec, f"{self._instance}-{secrets.token_hex(6)}")
            self._boxes[box.handle] = box
        elif box.spec.digest != spec.digest:
            raise EngineFailure(f"{spec.workspace} exists with another specification: remove it first.")
        return box.handle

    async def start(self, handle: str) -> None:
        """Launch the runtime; one that has ended is launched anew."""
        self._opened()
        box = self._boxes.get(handle)
        if box is None:
            raise EngineFailure(f"There is no worker {handle}: make it again.")
        if box.run is not None:
            if box.run.exit_code is None:
                return
            await box.run.end(0.0)
        box.run = await Run.begin(self._launchers, box.spec, f"{handle}.{next(self._runs)}")

    async def stop(self, handle: str, grace_s: float) -> None:
        """SIGTERM to the runtime, SIGKILL to everything it started, and wait for the end of both."""
        box = self._boxes.get(handle)
        if box is not None and box.run is not None:
            await box.run.end(grace_s)

    async def remove(self, handle: str) -> None:
        """Stop without grace and forget."""
        await self.stop(handle, 0.0)
        self._boxes.pop(handle, None)

    async def logs(self, workspace: WorkspaceId, lines: int) -> Sequence[str]:
        """The end of what the runtime wrote in its latest run."""
        box = self._box_of(workspace)
        return [] if box is None or box.run is None else box.run.launched.child.tail.lines(lines)

    async def capabilities(self) -> Sequence[Capability]:
        """Tried in a sandbox of its own; for plain processes there is nothing to try."""
        launcher = self._opened()
        if isinstance(launcher, SandboxLauncher):
            return await evidence.of_sandbox(launcher)
        return evidence.of_plain(self._why_plain or "plain processes")

    def _opened(self) -> Launcher:
        if self._launcher is None:
            raise EngineUnavailable("The worker isolation has not been opened.")
        return self._launcher

    def _box_of(self, workspace: WorkspaceId) -> Box | None:
        return next((box for box in self._boxes.values() if box.spec.workspace == workspace), None)

    async def _sandbox(self) -> SandboxLauncher:
        bwrap = shutil.which(self._bwrap)
        if bwrap is None:
            raise EngineFailure(f"{self._bwrap} is not installed.")
        linked = await libraries(self._program.binary)
        launcher = SandboxLauncher(self._program, bwrap, linked, self._instance, self._sockets)
        launcher.sweep()
        await evidence.try_sandbox(launcher)
        return launcher

    async def _make(self, _runtime: Runtime, program: Program) -> Launcher:
        """The launcher of Python, once the first workspace needs it: what it is linked with takes a while to tell."""
        bwrap = shutil.which(self._bwrap)
        if self.sandboxed and bwrap is not None:
            linked = await libraries(program.binary, *modules(program.trees))
            return SandboxLauncher(program, bwrap, linked, self._instance, self._sockets)
        plain = PlainLauncher(program, self._state / f"{self._instance}-py")
        plain.open()
        return plain
