"""An engine makes, starts, stops and removes workspaces of one isolation.

    Absent --create--> Created --start--> Running --stop--> Exited --remove--> Absent
                          |                  |  (dies by itself)  ^
                          +------remove------+--------------------+

Rules for every method: idempotent ("already done" is success); safe to call again after the caller, or the daemon,
died in the middle; bounded in time. Concurrent calls for different workspaces are allowed, for one workspace the
reconciler makes them one after the other.

Errors: EngineUnavailable when the engine does not answer (state unknown, retry later); EngineFailure when it answers
and refuses (the sentence names the cause and the mend).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from wsmgr.core.capability import Capability
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.versions import EngineVersions
from wsmgr.core.workspace import Found, Observed, Spec


class Engine(Protocol):
    """One mechanism of isolation. The engine, not the database, is the truth about what runs."""

    @property
    def isolation(self) -> Isolation:
        """Which isolation its workspaces have."""
        ...

    @property
    def sandboxed(self) -> bool:
        """Whether its workspaces are kept apart from the host, as far as is known since `open`."""
        ...

    @property
    def versions(self) -> EngineVersions | None:
        """What it last told of itself, by `capabilities`. None: it has not yet, or it is no program of its own."""
        ...

    async def open(self) -> None:
        """Get ready (start a supervised service, check programs). Raises EngineUnavailable; may be called again."""
        ...

    async def close(self) -> None:
        """Let go of connections, threads and children that must not outlive the daemon. Containers stay."""
        ...

    async def ping(self) -> None:
        """Return when the engine can do real work (it takes the engine's own lock); raises EngineUnavailable."""
        ...

    async def list(self) -> Sequence[Found]:
        """All workspaces of this daemon's instance, in any state, also half-made ones."""
        ...

    async def observe(self, workspace: WorkspaceId) -> Observed:
        """The state of one workspace; never `Unknown` (it raises EngineUnavailable instead)."""
        ...

    async def create(self, spec: Spec) -> str:
        """Make it and return its handle. One that exists already under this name is returned if its digest is the
        spec's, else it is an EngineFailure."""
        ...

    async def start(self, handle: str) -> None:
        """Start the main process and return once it runs. Readiness of the runtime is not awaited. What it refuses to
        start may be gone afterwards."""
        ...

    async def stop(self, handle: str, grace_s: float) -> None:
        """SIGTERM, wait up to `grace_s` seconds, SIGKILL. Success when it does not run or does not exist."""
        ...

    async def remove(self, handle: str) -> None:
        """Remove it and everything of its own (kills it if it runs). Success when it does not exist."""
        ...

    async def logs(self, workspace: WorkspaceId, lines: int) -> Sequence[str]:
        """The last lines that the runtime itself (not plugins) wrote, oldest first; empty when there is nothing."""
        ...

    async def capabilities(self) -> Sequence[Capability]:
        """What this engine can enforce on this host, each proven by trying it. May take seconds."""
        ...
