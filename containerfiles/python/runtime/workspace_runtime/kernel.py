"""What Python's own modules do not offer of the kernel: prctl, the children and the memory of a process."""

from __future__ import annotations

import os
import signal
from ctypes import CDLL, c_int, c_ulong, memset

_SET_PDEATHSIG, _SET_DUMPABLE, _SET_NAME, _SET_CHILD_SUBREAPER = 1, 4, 15, 36
_NAME_MOST = 15
_STATUS_BYTES = 4096
_CHILDREN_BYTES = 65536
_libc = CDLL(None)


def die_with_parent(number: int) -> None:
    """Be sent this signal when the parent of now has died."""
    _libc.prctl(c_int(_SET_PDEATHSIG), c_ulong(number), c_ulong(0), c_ulong(0), c_ulong(0))


def hide(hidden: bool = True) -> None:
    """Keep memory, environment and descriptors from other processes of the same user: nobody attaches, and /proc says
    no. Forked processes are hidden as well."""
    _libc.prctl(c_int(_SET_DUMPABLE), c_ulong(not hidden), c_ulong(0), c_ulong(0), c_ulong(0))


def inherit_orphans() -> None:
    """Become the parent of what descendants leave behind, instead of process 1."""
    _libc.prctl(c_int(_SET_CHILD_SUBREAPER), c_ulong(1), c_ulong(0), c_ulong(0), c_ulong(0))


def name_process(name: str) -> None:
    """What `ps` shows."""
    text = name.encode()[:_NAME_MOST] + b"\0"
    _libc.prctl(c_int(_SET_NAME), text, c_ulong(0), c_ulong(0), c_ulong(0))


def wipe_environment() -> None:
    """Forget the environment that this process was started with, also where /proc/<pid>/environ shows it."""
    os.environ.clear()
    try:
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return
    start, end = int(fields[47]), int(fields[48])  # 50 and 51 of proc(5); what is before `)` are the first two
    if 0 < start < end:
        memset(start, 0, end - start)


def kill_tree(pid: int) -> None:
    """A child of this process, which has not been waited for, and all that come from it."""
    every = [pid, *descendants(pid)]
    for one in every:
        try:
            os.kill(one, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def children(pid: int) -> list[int]:
    """The children of a process' main thread; none when the kernel does not say."""
    return [int(one) for one in _read(f"/proc/{pid}/task/{pid}/children", _CHILDREN_BYTES).split()]


def descendants(pid: int) -> list[int]:
    """All that come from it."""
    found = children(pid)
    for one in found:
        found += children(one)
    return found


def private_bytes(pid: int) -> int:
    """Resident memory that is no file's: what is its own, or shared with those it was forked from."""
    status = _read(f"/proc/{pid}/status", _STATUS_BYTES)
    return _kilobytes(status, b"\nRssAnon:") + _kilobytes(status, b"\nRssShmem:")


def _kilobytes(status: bytes, name: bytes) -> int:
    at = status.find(name)
    return 0 if at < 0 else int(status[at + len(name) : status.find(b"kB", at)]) * 1024


def _read(path: str, most: int) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(fd, most)
    except OSError:
        return b""
    finally:
        os.close(fd)
