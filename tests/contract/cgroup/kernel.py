"""The kernel's own groups, on a host that delegated one to whoever runs the tests."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contract.cgroup.rig import HANDLE, instance
from wsmgr.core.cgroup import Ceilings
from wsmgr.core.workspace import Running

PLACE = os.environ.get("WSMGR_TEST_CGROUP")
"""A writable group of cgroup v2, without processes, with cpu, memory and pids enabled for its children."""


class KernelWorld:
    """Groups as podman with crun makes them, and in the lower one a process that sleeps."""

    def __init__(self, place: Path) -> None:
        self.scope = place / f"libpod-{HANDLE}.scope"
        self.own = self.scope / "container"
        self.scope.mkdir()
        (self.scope / "cgroup.subtree_control").write_text("+cpu +memory +pids")
        self.own.mkdir()
        self._process = subprocess.Popen(["sleep", "1000"])
        (self.own / "cgroup.procs").write_text(str(self._process.pid))

    @property
    def running(self) -> Running:
        """The instance that an engine would report."""
        pid = self._process.pid
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
        return instance(pid=pid, uid=os.geteuid(), ticks=ticks)

    def hold_to(self, ceilings: Ceilings) -> None:
        """On the lower group."""
        texts = {"memory.max": ceilings.memory_bytes, "memory.swap.max": ceilings.swap_bytes, "pids.max": ceilings.pids}
        for name, value in texts.items():
            (self.own / name).write_text("max" if value is None else str(value))
        cpu = "max" if ceilings.cpus is None else str(round(ceilings.cpus * 100_000))
        (self.own / "cpu.max").write_text(f"{cpu} 100000")

    def vanish(self) -> None:
        """Also when it is frozen: SIGKILL reaches what stands still."""
        if not self.scope.exists():
            return
        self._process.kill()
        self._process.wait()
        self._until_empty()
        self.own.rmdir()
        self.scope.rmdir()

    def _until_empty(self) -> None:
        # A process leaves its group a moment after its parent has been told of its end.
        for _ in range(1000):
            if "populated 0" in (self.scope / "cgroup.events").read_text():
                return
            time.sleep(0.005)
        raise AssertionError("the group still has processes")


@contextmanager
def kernel_world() -> Iterator[KernelWorld]:
    """Removed at the end of the block."""
    assert PLACE is not None
    world = KernelWorld(Path(PLACE))
    try:
        yield world
    finally:
        world.vanish()
