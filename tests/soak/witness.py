"""Counts runs from outside: plugins leave a line in their workspace's scratch space, which is read through /proc.

A plugin cannot reach out of its workspace, and a record says only what the daemon believes. The scratch space is a
tmpfs of the workspace's own; a descriptor of it, taken while the workspace lives, can still be read after its end.
"""

from __future__ import annotations

import os
import resource
import threading
from collections import Counter
from pathlib import Path

from tests.soak.plugin import BOOT, RUNS

EVERY_S = 0.03
YOUNG_LOOKS = 100
"""So many looks a new process gets to make its scratch space, before it is taken for none of ours."""


class Witness:
    """Looks at every new process in a thread of its own. Holds one descriptor for each life of a workspace."""

    def __init__(self) -> None:
        self._young: dict[int, int] = {}
        self._pids: set[int] = set()
        self._scratch: dict[int, int] = {}
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="witness", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        _soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self._thread.start()

    def stop(self) -> None:
        """Look no more, and let go of everything."""
        self._ending.set()
        self._thread.join()
        with self._lock:
            for descriptor in self._scratch.values():
                os.close(descriptor)
            self._scratch.clear()

    def runs(self) -> Counter[str]:
        """How often each execution id was seen to begin, so far."""
        with self._lock:
            return Counter(line for descriptor in self._scratch.values() for line in _words(descriptor, RUNS))

    def boots(self) -> set[str]:
        """The lives of workspaces that were seen."""
        with self._lock:
            return {line for descriptor in self._scratch.values() for line in _words(descriptor, BOOT)}

    def look(self) -> None:
        """Take a descriptor of the scratch space of every process that is new."""
        pids = {int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()}
        self._young.update(dict.fromkeys(pids - self._pids, YOUNG_LOOKS))
        self._pids = pids
        for pid in list(self._young):
            self._young[pid] -= 1
            if pid not in pids or self._young[pid] <= 0 or self._take(pid):
                del self._young[pid]

    def _watch(self) -> None:
        while not self._ending.wait(EVERY_S):
            self.look()

    def _take(self, pid: int) -> bool:
        """Whether the process is settled: it has a scratch space, which is known now."""
        device = _scratch_of(pid)
        with self._lock:
            if device is None or device in self._scratch:
                return device is not None
            try:
                descriptor = os.open(f"/proc/{pid}/root/tmp", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError:
                return False
            # The descriptor keeps the device's number from being given again.
            if os.fstat(descriptor).st_dev != device:
                os.close(descriptor)
                return False
            self._scratch[device] = descriptor
            return True


def _scratch_of(pid: int) -> int | None:
    """The device of a tmpfs on /tmp that is not the host's own; None when there is none (yet)."""
    try:
        mounts = Path(f"/proc/{pid}/mountinfo").read_text()
    except OSError:
        return None
    for line in mounts.splitlines():
        fields = line.split()
        if fields[4] == "/tmp" and fields[fields.index("-") + 1] == "tmpfs":  # as /proc names it
            major, minor = fields[2].split(":")
            device = os.makedev(int(major), int(minor))
            return None if device == Path("/tmp").stat().st_dev else device
    return None


def _words(folder: int, name: str) -> list[str]:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return []
    with os.fdopen(descriptor, errors="replace") as file:
        return file.read().split()
