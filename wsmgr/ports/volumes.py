"""The volumes that root has made on this host for persistent data.

A volume's name is all that is stored of it. Which workspace holds it is decided by the caller and marked on the volume
itself, so that a lost database never hands the data of one workspace to another.

Every method is bounded in time, idempotent, and safe to call again after the daemon died in the middle of it. They
raise EngineFailure when the volume cannot be used; its sentence says why and what to do. One call at a time for one
volume; `wipe` and `claim` are made while no container uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from wsmgr.core.capability import Capability
from wsmgr.core.volume import Mark, Volume


class Volumes(Protocol):
    """Root is needed for nothing that is done here."""

    def source(self, name: str) -> str:
        """The directory of the host that becomes `/data`."""
        ...

    async def list(self) -> Sequence[Volume]:
        """All of them by name, also those that cannot be used now; empty on a host without any. Raises nothing."""
        ...

    async def claim(self, name: str, mark: Mark, size_mb: int) -> Volume:
        """Make it the workspace's: marked, with a directory that the workspace's user owns, held to `size_mb`. One that
        has this mark already keeps its content. Raises EngineFailure for one that has another's mark, or content."""
        ...

    async def hold(self, name: str, size_mb: int) -> Volume:
        """Let its workspace's files take `size_mb` MiB from now on, also while it runs. Where they take more already
        they stay, and can grow no more; where the volume is smaller, that is all. See `cap_bytes` of the answer."""
        ...

    async def wipe(self, name: str) -> None:
        """Delete the content, and then the mark."""
        ...

    async def prove(self) -> Capability:
        """Whether volumes are there and hold their size, seen by trying. Raises nothing."""
        ...
