"""The engine of the isolation `none`: one plain runtime of each language for every workspace. For development only."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wsmgr.adapters.worker import evidence
from wsmgr.adapters.worker.box import Run
from wsmgr.adapters.worker.launcher import Launcher
from wsmgr.adapters.worker.plain import PlainLauncher
from wsmgr.adapters.worker.programs import Launchers
from wsmgr.adapters.worker.runtime import Program, node_program
from wsmgr.core.capability import Capability
from wsmgr.core.errors import EngineFailure
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.runtime import Runtime
from wsmgr.core.versions import EngineVersions
from wsmgr.core.workspace import Absent, Created, Endpoint, Exited, Found, Observed, Running, Spec

_WHY = "The isolation `none` has no sandbox on purpose."


@dataclass(slots=True, eq=False)
class _Tenant:
    """A workspace in the shared runtime. `left` is set when it was stopped while the others went on."""

    spec: Spec
    handle: str
    run: Run | None = None
    left: bool = False

    @property
    def inside(self) -> bool:
        """Whether it is served now."""
        return self.run is not None and not self.left and self.run.exit_code is None

    def observed(self) -> Created | Running | Exited:
        """Its state."""
        if self.run is None:
            return Created(self.handle, self.spec.digest)
        if not self.inside:
            return Exited(self.handle, self.spec.digest, self.run.exit_code or 0, oom_killed=False)
        launched = self.run.launched
        endpoint = Endpoint(launched.pid, launched.socket, os.getuid(), self.run.instance, self.spec.workspace)
        return Running(self.handle, self.spec.digest, endpoint, self.run.started_at)


class NoneEngine:
    """Starts a runtime with the first workspace that needs it, by whose limits it lives, and stops it with the last.

    Arguments as those of WorkerEngine.
    """

    def __init__(
        self,
        *,
        node: Path,
        runtime: Path,
        state: Path,
        instance: str,
        main: str = "main.mjs",
        python: Program | None = None,
    ) -> None:
        program = node_program(node, runtime, main)
        self._launcher = PlainLauncher(program, state / f"{instance}-none")
        programs = {Runtime.NODE: program} | ({} if python is None else {Runtime.PYTHON: python})
        self._launchers = Launchers(programs, self._make)
        self._launchers.add(Runtime.NODE, self._launcher)
        self._state = state
        self._instance = instance
        self._tenants: dict[str, _Tenant] = {}
        self._shared: dict[Runtime, Run] = {}
        self._changing = asyncio.Lock()
        self._runs = itertools.count(1)
        self._open = False

    @property
    def isolation(self) -> Isolation:
        """NONE."""
        return Isolation.NONE

    @property
    def sandboxed(self) -> bool:
        """Never: that is what this isolation means."""
        return False

    @property
    def versions(self) -> EngineVersions | None:
        """None: the daemon itself is this engine."""
        return None

    async def open(self) -> None:
        """Check that there is what a runtime needs."""
        if not self._open:
            self._launcher.open()
            self._open = True

    async def close(self) -> None:
        """End the runtime at once."""
        async with self._changing:
            for runtime in list(self._shared):
                await self._end(runtime, 0.0)
        self._tenants.clear()

    async def ping(self) -> None:
        """There is nobody else to ask."""

    async def list(self) -> Sequence[Found]:
        """All workspaces that this process made."""
        return [Found(tenant.spec.workspace, tenant.observed()) for tenant in self._tenants.values()]

    async def observe(self, workspace: WorkspaceId) -> Observed:
        """The state of one workspace."""
        tenant = self._tenant_of(workspace)
        return Absent() if tenant is None else tenant.observed()

    async def create(self, spec: Spec) -> str:
        """Only recorded."""
        tenant = self._tenant_of(spec.workspace)
        if tenant is None:
            tenant = _Tenant(spec, f"{self._instance}-{secrets.token_hex(6)}")
            self._tenants[tenant.handle] = tenant
        elif tenant.spec.digest != spec.digest:
            raise EngineFailure(f"{spec.workspace} exists with another specification: remove it first.")
        return tenant.handle

    async def start(self, handle: str) -> None:
        """Join the shared runtime, which is launched when it does not run."""
        async with self._changing:
            tenant = self._tenants.get(handle)
            if tenant is None:
                raise EngineFailure(f"There is no workspace {handle}: make it again.")
            if tenant.inside:
                return
            runtime = tenant.spec.runtime
            run = self._shared.get(runtime)
            if run is None or run.exit_code is not None:
                await self._end(runtime, 0.0)
                run = await Run.begin(self._launchers, tenant.spec, f"{self._instance}.{next(self._runs)}")
                self._shared[runtime] = run
            tenant.run, tenant.left = run, False

    async def stop(self, handle: str, grace_s: float) -> None:
        """Leave the shared runtime; the last one to leave ends it."""
        async with self._changing:
            tenant = self._tenants.get(handle)
            if tenant is None or not tenant.inside:
                return
            runtime = tenant.spec.runtime
            if sum(other.inside and other.spec.runtime is runtime for other in self._tenants.values()) > 1:
                tenant.left = True
            else:
                await self._end(runtime, grace_s)

    async def remove(self, handle: str) -> None:
        """Stop without grace and forget."""
        await self.stop(handle, 0.0)
        self._tenants.pop(handle, None)

    async def logs(self, workspace: WorkspaceId, lines: int) -> Sequence[str]:
        """The end of what the shared runtime wrote; other workspaces are in it too."""
        tenant = self._tenant_of(workspace)
        return [] if tenant is None or tenant.run is None else tenant.run.launched.child.tail.lines(lines)

    async def capabilities(self) -> Sequence[Capability]:
        """Nothing keeps these workspaces from each other or from the host."""
        return evidence.of_plain(_WHY)

    async def _make(self, _runtime: Runtime, program: Program) -> Launcher:
        launcher = PlainLauncher(program, self._state / f"{self._instance}-py")
        launcher.open()
        return launcher

    async def _end(self, runtime: Runtime, grace_s: float) -> None:
        run = self._shared.pop(runtime, None)
        if run is not None:
            await run.end(grace_s)

    def _tenant_of(self, workspace: WorkspaceId) -> _Tenant | None:
        return next((tenant for tenant in self._tenants.values() if tenant.spec.workspace == workspace), None)
