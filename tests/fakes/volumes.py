"""Volumes in memory that tests program: hosts without them, ones that are not mounted, files that fill them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wsmgr.core.capability import Capability, Level
from wsmgr.core.errors import EngineFailure
from wsmgr.core.limits import MIB
from wsmgr.core.volume import Mark, Volume

PLACE = "/srv/volumes"


@dataclass
class _Content:
    """What is on one volume. `made`: it has a directory for a workspace."""

    size_mb: int
    used_bytes: int = 0
    reserved_bytes: int = 0
    mark: Mark | None = None
    made: bool = False
    trouble: str | None = None


class FakeVolumes:
    """Behaves as the port says. `sizes`: the volumes that there are, in MiB. `calls` has what was to change one."""

    def __init__(self, sizes: Mapping[str, int] | None = None) -> None:
        self.calls: list[tuple[str, str]] = []
        self._volumes = {name: _Content(size_mb) for name, size_mb in (sizes or {}).items()}

    # --- what tests program -------------------------------------------------------------------------------------

    def add(self, name: str, size_mb: int) -> None:
        """Root makes one more."""
        self._volumes[name] = _Content(size_mb)

    def write(self, name: str, size_bytes: int) -> None:
        """Its workspace has so many bytes of files. Raises OSError where they are more than it can take."""
        content = self._volumes[name]
        if size_bytes > content.size_mb * MIB - content.reserved_bytes:
            raise OSError(28, "No space left on device")
        content.used_bytes = size_bytes

    def break_(self, name: str, trouble: str | None) -> None:
        """It cannot be used for this reason; None: it can be used again."""
        self._volumes[name].trouble = trouble

    def marked(self, name: str, mark: Mark | None) -> None:
        """As a daemon before this one left it."""
        self._volumes[name].mark, self._volumes[name].made = mark, mark is not None

    # --- the port -----------------------------------------------------------------------------------------------

    def source(self, name: str) -> str:
        return f"{PLACE}/{name}/data"

    async def list(self) -> Sequence[Volume]:
        return [self._seen(name) for name in sorted(self._volumes)]

    async def claim(self, name: str, mark: Mark, size_mb: int) -> Volume:
        self.calls.append(("claim", name))
        content = self._usable(name)
        if content.mark is not None and content.mark != mark:
            raise EngineFailure(f"The volume {name} has the data of {content.mark.workspace}.")
        if content.mark is None and content.made:
            raise EngineFailure(f"The volume {name} has data, and does not say whose; look at it by hand.")
        content.mark, content.made = mark, True
        return await self.hold(name, size_mb)

    async def hold(self, name: str, size_mb: int) -> Volume:
        self.calls.append(("hold", name))
        content = self._usable(name)
        size = content.size_mb * MIB
        content.reserved_bytes = min(max(0, size - size_mb * MIB), size - content.used_bytes)
        return self._seen(name)

    async def wipe(self, name: str) -> None:
        self.calls.append(("wipe", name))
        content = self._usable(name)
        content.mark, content.made, content.used_bytes, content.reserved_bytes = None, False, 0, 0

    async def prove(self) -> Capability:
        if not self._volumes:
            return Capability("data", Level.ABSENT, "This host has no volumes.", "Give it some.")
        return Capability("data", Level.ENFORCED, f"{len(self._volumes)} volumes.")

    def _seen(self, name: str) -> Volume:
        content = self._volumes[name]
        if content.trouble is not None:
            return Volume(name=name, trouble=content.trouble)
        seen = Volume(name=name, size_bytes=content.size_mb * MIB, inodes_left=100, mark=content.mark)
        return replace(seen, used_bytes=content.used_bytes, reserved_bytes=content.reserved_bytes)

    def _usable(self, name: str) -> _Content:
        content = self._volumes.get(name)
        if content is None:
            raise EngineFailure(f"There is no volume {name}.")
        if content.trouble is not None:
            raise EngineFailure(content.trouble)
        return content
