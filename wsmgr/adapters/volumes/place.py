"""One volume's files, and what its file system says of itself.

    <volume>/            the root of a file system of its own, the daemon's user's, 0700
    <volume>/owner.json  whose it is
    <volume>/reserve     takes the room that the workspace's plan does not give it
    <volume>/try         what a proof fills it with, for a moment
    <volume>/data/       the workspace's: this alone is mounted into its container

A workspace can write below `data` and nowhere else, so that everything beside it is trusted, and nothing below it is
opened here. Everything here blocks.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

from wsmgr.core.errors import EngineFailure
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.limits import MIB
from wsmgr.core.volume import Mark, Volume

DATA = "data"
_MARK = "owner.json"
_RESERVE = "reserve"
_TRY = "try"
_MARK_BYTES = 4096
_FLAGS = os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC


class Place:
    """The volume whose mount point is `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def data(self) -> Path:
        """What becomes `/data`."""
        return self._path / DATA

    def look(self) -> Volume:
        """As it is now; trouble is told, not raised."""
        name = self._path.name
        try:
            trouble = self._trouble()
            return Volume(name=name, trouble=trouble) if trouble else self._measured(name)
        except OSError as error:
            return Volume(name=name, trouble=f"{self._path} cannot be read: {error.strerror}.")

    def mark(self, mark: Mark) -> None:
        """Write down whose it is. Raises OSError."""
        text = json.dumps({"instance": mark.instance, "workspace": mark.workspace, "uid": mark.uid})
        fresh = self._path / f"{_MARK}.new"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, text.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fresh.rename(self._path / _MARK)
        self._settle()

    def unmark(self) -> None:
        """It is nobody's. Raises OSError."""
        (self._path / _RESERVE).unlink(missing_ok=True)
        (self._path / _MARK).unlink(missing_ok=True)
        self._settle()

    def make_data(self) -> bool:
        """Have the directory; whether it is still the daemon's own and has to be given away. Raises OSError."""
        if not os.path.lexists(self.data):
            self.data.mkdir(mode=0o700)
            self._settle()
        return os.lstat(self.data).st_uid == os.geteuid()

    def overfill(self) -> None:
        """Take all of an empty volume and a MiB more. Raises EngineFailure when that works, OSError."""
        size = self.look().size_bytes
        descriptor = os.open(self._path / _TRY, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size + MIB)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        else:
            raise EngineFailure(f"A volume of {size // MIB} MiB took a MiB more.")
        finally:
            os.close(descriptor)
            self.clear()

    def clear(self) -> None:
        """Take away what a proof left that did not come to its end. Raises OSError."""
        (self._path / _TRY).unlink(missing_ok=True)

    def hold(self, size_mb: int) -> Volume:
        """Take into reserve what is more than `size_mb`, or as much of it as is free. Raises OSError."""
        now = self.look()
        if now.trouble is not None:
            raise EngineFailure(now.trouble)
        wanted = max(0, now.size_bytes - size_mb * MIB)
        descriptor = os.open(self._path / _RESERVE, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            reserve(descriptor, wanted, now.size_bytes - now.used_bytes)
        finally:
            os.close(descriptor)
        return self.look()

    def _measured(self, name: str) -> Volume:
        system = os.statvfs(self._path)
        reserved = self._reserved()
        # What the file system keeps for itself is no file's: neither used nor to be had.
        free = system.f_bavail * system.f_frsize
        taken = (system.f_blocks - system.f_bfree) * system.f_frsize
        return Volume(
            name=name,
            size_bytes=free + taken,
            used_bytes=max(0, taken - reserved),
            reserved_bytes=reserved,
            inodes_left=system.f_favail,
            mark=self._read_mark(),
        )

    def _trouble(self) -> str | None:
        if os.lstat(self._path).st_dev == os.lstat(self._path.parent).st_dev:
            return (
                f"No file system is mounted on {self._path}: start wsmgr-data.service, or run playbooks/site.yml again."
            )
        if not os.access(self._path, os.W_OK):
            return f"{self._path} cannot be written by the daemon's user; a file system with faults is read-only."
        if os.statvfs(self._path).f_flag & _FLAGS != _FLAGS:
            return f"{self._path} is not mounted with nosuid, nodev and noexec."
        return None

    def _reserved(self) -> int:
        try:
            return os.lstat(self._path / _RESERVE).st_blocks * 512
        except FileNotFoundError:
            return 0

    def _read_mark(self) -> Mark | None:
        """Raises OSError, also for a mark that is none: whose such a volume is cannot be told."""
        try:
            descriptor = os.open(self._path / _MARK, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            text = os.read(descriptor, _MARK_BYTES) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
            said = json.loads(text)
            return Mark(str(said["instance"]), WorkspaceId(said["workspace"]), int(said["uid"]))
        except (ValueError, KeyError, TypeError) as error:
            raise OSError(errno.EINVAL, f"{_MARK} is not as wsmgr writes it") from error
        finally:
            os.close(descriptor)

    def _settle(self) -> None:
        descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def reserve(descriptor: int, wanted: int, available: int) -> None:
    """Make a file take `wanted` bytes of its file system, or what there is of them. Raises OSError."""
    size = min(wanted, available)
    os.ftruncate(descriptor, min(size, os.fstat(descriptor).st_size))
    while size > 0:
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            # A writer was faster, or the map of the file's own blocks takes some: a little less, then.
            os.ftruncate(descriptor, 0)
            size -= max(size // 64, 64 * 1024)
        else:
            return
