"""What lies in the scratch directory of a workspace, seen from outside.

The workspace is hostile: it may replace what it can by links. So the way there follows the kernel's own link to its
root and nothing else, and only the file system is asked, which answers from memory: nothing in there is opened.
"""

from __future__ import annotations

import os
from typing import NamedTuple

_PLACE = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
NAME = "tmp"


_NEARLY = 16 * 1024
"""So few bytes left are none."""


class Scratch(NamedTuple):
    """Bytes in `/tmp` as its file system counts them, and whether it takes no more."""

    used: int
    full: bool


def look(proc: str, pid: int) -> Scratch | None:
    """What lies in `/tmp`; None when it is not there."""
    try:
        root = os.open(f"{proc}/{pid}/root", _PLACE)
    except OSError:
        return None
    try:
        folder = os.open(NAME, _PLACE | os.O_NOFOLLOW, dir_fd=root)
    except OSError:
        return None
    finally:
        os.close(root)
    try:
        system = os.fstatvfs(folder)
    except OSError:
        return None
    finally:
        os.close(folder)
    free = system.f_bavail * system.f_frsize
    full = system.f_blocks > 0 and (free < _NEARLY or (system.f_files > 0 and system.f_favail == 0))
    return Scratch((system.f_blocks - system.f_bfree) * system.f_frsize, full)


def has_own(proc: str, pid: int) -> bool:
    """Whether the process has another root than ours: else the host's `/tmp` would be taken for its."""
    try:
        theirs, ours = os.stat(f"{proc}/{pid}/root"), os.stat(f"{proc}/self/root")  # noqa: PTH116
    except OSError:
        return False
    return (theirs.st_dev, theirs.st_ino) != (ours.st_dev, ours.st_ino)
