"""Small files of /proc, read with as few system calls as there can be. A process may vanish at any moment."""

from __future__ import annotations

import os

_MOST = 64 * 1024


def read(path: str) -> bytes | None:
    """The file; None when it is not there any more, or not ours to read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(descriptor, _MOST)
    except OSError:
        # ESRCH: the process went between the two calls.
        return None
    finally:
        os.close(descriptor)


def pids(proc: str) -> list[int]:
    """All processes."""
    return [int(name) for name in os.listdir(proc) if name.isdigit()]  # noqa: PTH208  # names, a thousand of them
