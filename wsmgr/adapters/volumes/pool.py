"""The port `Volumes` on a directory with one mount point for each volume."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from wsmgr.adapters.volumes.place import Place
from wsmgr.core.capability import Capability, Level
from wsmgr.core.errors import EngineFailure, WsmgrError
from wsmgr.core.limits import MIB
from wsmgr.core.volume import NAME, Mark, Volume

T = TypeVar("T")
Inside = Callable[[Sequence[str], float], Awaitable[tuple[int, list[str]]]]
"""Runs a program as root of the user namespace in which the containers live; its exit code and lines."""

MEND = "Set `wsmgr_data_volumes` in the inventory and run playbooks/site.yml as root (README, Persistent data)."
_SEE = "see the volume (`podman system migrate` as the daemon's user, when nothing runs, lets it look anew)"
_LOOK_S = 10.0
_CHANGE_S = 30.0
_WIPE_S = 300.0
_MOST = 4096


class VolumePool:
    """`root` has the mount points; None: this host has no volumes. `inside` reaches files that belong to uids of
    workspaces, which the daemon's user itself can neither give away nor delete."""

    def __init__(self, root: Path | None, inside: Inside) -> None:
        self._root = root
        self._inside = inside
        # A volume is not given away while a proof fills it.
        self._filling = asyncio.Lock()

    def source(self, name: str) -> str:
        """The directory beside the mark, not the volume's root. Also where there are no volumes any more."""
        return str(Place((self._root or Path("/nonexistent")) / name).data)

    async def list(self) -> Sequence[Volume]:
        """A few system calls for each."""
        try:
            return await _aside(lambda: [Place(path).look() for path in self._paths()], _LOOK_S)
        except (OSError, WsmgrError):
            return []

    async def claim(self, name: str, mark: Mark, size_mb: int) -> Volume:
        """The mark comes first: what is made after it has an owner, whatever happens."""
        async with self._filling:
            return await self._claim(name, mark, size_mb)

    async def _claim(self, name: str, mark: Mark, size_mb: int) -> Volume:
        place = self._place(name)
        volume = await self._usable(place)
        if volume.mark is not None and volume.mark != mark:
            raise EngineFailure(
                f"The volume {name} has the data of {volume.mark.workspace}; it is given to nobody else."
            )
        if volume.mark is None:
            if await _aside(place.data.exists, _LOOK_S):
                raise EngineFailure(f"The volume {name} has data, and does not say whose; look at it by hand.")
            await _aside(lambda: place.mark(mark), _CHANGE_S)
        await _aside(place.clear, _CHANGE_S)
        # It may be there already and not be given away: a daemon may have died between the two.
        if await _aside(place.make_data, _CHANGE_S):
            await self._run("give the directory to the workspace", "chown", f"{mark.uid}:{mark.uid}", str(place.data))
        return await self.hold(name, size_mb)

    async def hold(self, name: str, size_mb: int) -> Volume:
        """By the size of a file beside the data."""
        return await _aside(lambda: self._place(name).hold(size_mb), _CHANGE_S)

    async def wipe(self, name: str) -> None:
        """Content first: a volume without a mark is empty."""
        place = self._place(name)
        await self._usable(place)
        await self._run("delete the data", "rm", "-rf", "--one-file-system", "--", str(place.data), timeout_s=_WIPE_S)
        if await _aside(lambda: os.path.lexists(place.data), _LOOK_S):
            raise EngineFailure(f"The data on the volume {name} could not be deleted.")
        await _aside(place.unmark, _CHANGE_S)

    async def prove(self) -> Capability:
        """Have a volume that is nobody's refuse one byte too many; look whether containers would see it."""
        volumes = await self.list()
        usable = [one for one in volumes if one.trouble is None]
        if not usable:
            said = [one.trouble for one in volumes if one.trouble]
            why = said[0] if said else "This host has no volumes for persistent data."
            return Capability("data", Level.ABSENT, why, MEND)
        count = f"{len(usable)} of {len(volumes)} volumes can be used"
        try:
            seen = await self._tried(next((one for one in usable if one.mark is None), None), usable[0])
        except (OSError, WsmgrError) as error:
            return Capability("data", Level.ABSENT, f"{count}; a trial failed: {error}", MEND)
        level = Level.BEST_EFFORT if len(usable) < len(volumes) else Level.ENFORCED
        return Capability("data", level, f"{count}; {seen}", MEND if level is Level.BEST_EFFORT else None)

    async def _tried(self, free: Volume | None, other: Volume) -> str:
        volume = free or other
        path = self._path(volume.name)
        await self._run(_SEE, "mountpoint", "-q", str(path))
        flags = "it is mounted nosuid,nodev,noexec, and containers see it"
        if free is None:
            return (
                f"all are in use, so that none was filled; {volume.name} has {volume.size_bytes // MIB} MiB; {flags}."
            )
        async with self._filling:
            await _aside(self._place(volume.name).overfill, _CHANGE_S)
        return f"{volume.name} of {volume.size_bytes // MIB} MiB refused one MiB more with ENOSPC; {flags}."

    async def _usable(self, place: Place) -> Volume:
        volume = await _aside(place.look, _LOOK_S)
        if volume.trouble is not None:
            raise EngineFailure(volume.trouble)
        return volume

    async def _run(self, what: str, *command: str, timeout_s: float = _CHANGE_S) -> None:
        code, lines = await self._inside(command, timeout_s)
        if code != 0:
            said = "; ".join(lines[-3:]) or f"{command[0]} ended with {code}"
            raise EngineFailure(f"The user namespace of the containers cannot {what}: {said}"[:600])

    def _paths(self) -> Sequence[Path]:
        if self._root is None:
            return []
        names = sorted(entry.name for entry in os.scandir(self._root) if NAME.fullmatch(entry.name))
        return [self._root / name for name in names[:_MOST]]

    def _path(self, name: str) -> Path:
        if self._root is None:
            raise EngineFailure(f"Its data is on the volume {name}, and data_dir, where volumes are, is not set.")
        if not NAME.fullmatch(name):
            raise EngineFailure(f"{name!r} is no name of a volume.")
        return self._root / name

    def _place(self, name: str) -> Place:
        return Place(self._path(name))


async def _aside(work: Callable[[], T], timeout_s: float) -> T:
    """Do it in a thread: a file system may let it wait. Raises EngineFailure for what the file system refuses."""
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.to_thread(work)
    except TimeoutError:
        raise EngineFailure(f"The file system of a volume did not answer within {timeout_s:g} s.") from None
    except OSError as error:
        raise EngineFailure(f"The file system of a volume refused: {error.strerror}.") from error
