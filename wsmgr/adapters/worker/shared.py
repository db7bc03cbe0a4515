"""The engine of the isolation `none`: one plain runtime for every workspace. For development only."""

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
from wsmgr.adapters.worker.plain import PlainLauncher
from wsmgr.adapters.worker.runtime import Program
from wsmgr.core.capability import Capability
from wsmgr.core.errors import EngineFailure
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
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
    """Starts the runtime with the first workspace, by whose limits it lives, and stops it with the last.

    Arguments as those of WorkerEngine.
    """

    def __init__(self, *, node: Path, runtime: Path, state: Path, instance: str, main: str = "main.mjs") -> None:
        self._launcher = PlainLauncher(Program(node, runtime, main), state / f"{instance}-none")
        self._instance = instance
        self._tenants: dict[str, _Tenant] = {}
        self._run: Run | None = None
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

    async def open(self) -> None:
        """Check that there is what a runtime needs."""
        if not self._open:
            self._launcher.open()
            self._open = True

    async def close(self) -> None:
        """End the runtime at once."""
        async with self._changing:
            await self._end(0.0)
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
            if self._run is None or self._run.exit_code is not None:
                await self._end(0.0)
                self._run = await Run.begin(self._launcher, tenant.spec, f"{self._instance}.{next(self._runs)}")
            tenant.run, tenant.left = self._run, False

    async def stop(self, handle: str, grace_s: float) -> None:
        """Leave the shared runtime; the last one to leave ends it."""
        async with self._changing:
            tenant = self._tenants.get(handle)
            if tenant is None or not tenant.inside:
                return
            if sum(other.inside for other in self._tenants.values()) > 1:
                tenant.left = True
            else:
                await self._end(grace_s)

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

    async def _end(self, grace_s: float) -> None:
        run, self._run = self._run, None
        if run is not None:
            await run.end(grace_s)

    def _tenant_of(self, workspace: WorkspaceId) -> _Tenant | None:
        return next((tenant for tenant in self._tenants.values() if tenant.spec.workspace == workspace), None)
