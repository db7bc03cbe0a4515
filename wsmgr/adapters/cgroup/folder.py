"""One control group's folder: its files read and written, and the kernel's refusals told apart."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from wsmgr.ports.cgroup import GroupGone, GroupRefused

_FILE_BYTES = 64 * 1024
"""Far above the longest of these files (memory.stat, about 2 KB). The kernel gives each in one read."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A group by its absolute path. Nothing is kept open."""

    path: Path

    def read(self, name: str) -> str | None:
        """A file's text; None when it is not there (its controller is not) or cannot be read. Raises GroupGone."""
        try:
            descriptor = os.open(f"{self.path}/{name}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                return os.read(descriptor, _FILE_BYTES).decode("ascii", "replace")
            finally:
                os.close(descriptor)
        except OSError as error:
            self._check_gone(error)
            return None

    def write(self, name: str, value: str) -> None:
        """Write a file as a whole. Raises GroupGone and GroupRefused."""
        try:
            descriptor = os.open(f"{self.path}/{name}", os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                os.write(descriptor, value.encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            self._check_gone(error)
            if error.errno == errno.ENOENT:
                raise GroupRefused(f"{name} is not there: its controller is not enabled for the group.") from error
            why = os.strerror(error.errno) if error.errno else str(error)
            raise GroupRefused(f"The kernel did not take {value!r} as {name}: {why}.") from error

    def _check_gone(self, error: OSError) -> None:
        # A file that is opened while the group goes answers ENODEV; afterwards the whole folder is missing.
        if error.errno == errno.ENODEV or not self.path.is_dir():
            raise GroupGone(f"The control group {self.path.name} does not exist any more.") from error
