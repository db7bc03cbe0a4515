"""A made-up host in plain files: /proc of one process, the tree of its groups, and a thread that freezes them."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wsmgr.core.cgroup import Ceilings, Counters
from wsmgr.core.workspace import Running

USER = "user.slice/user-999.slice/user@999.service/user.slice"
FILES = {
    "cgroup.freeze": "0",
    "cgroup.events": "populated 1\nfrozen 0",
    "memory.max": "max",
    "memory.swap.max": "max",
    "memory.current": "0",
    "memory.stat": "anon 0\nfile 0\ninactive_file 0\nactive_file 0",
    "memory.events": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0",
    "memory.reclaim": "",
    "cpu.max": "max 100000",
    "cpu.stat": "usage_usec 0\nuser_usec 0\nsystem_usec 0\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0",
    "pids.max": "max",
    "pids.current": "0",
    "pids.events": "max 0",
}
LIMITS = {"memory_bytes": "memory.max", "swap_bytes": "memory.swap.max", "cpus": "cpu.max", "pids": "pids.max"}
_LOOK_S = 0.001


class Tree:
    """`proc` and `cgroups` are what the adapter is given; `scope` and `own` the container's topmost group and the one
    that its process is in (the same when not `nested`)."""

    def __init__(self, folder: Path, running: Running, *, nested: bool) -> None:
        self.proc, self.cgroups = folder / "proc", folder / "cgroup"
        self.running = running
        self.scope = self.cgroups / USER / f"libpod-{running.handle}.scope"
        self.own = self.scope / "container" if nested else self.scope
        self._stuck = False
        self._lock = threading.Lock()
        self.own.mkdir(parents=True)
        (self.cgroups / "cgroup.controllers").write_text("cpu memory pids\n")
        for group in self.groups:
            for name, text in FILES.items():
                (group / name).write_text(f"{text}\n")
        self.process()

    @property
    def groups(self) -> list[Path]:
        """From the top down."""
        return [self.scope] if self.own == self.scope else [self.scope, self.own]

    def process(self, *, path: str | None = None, state: str = "S", uid: int | None = None, ticks: int = 9001) -> None:
        """Write /proc/<pid> anew; `path` as the second version's line gives it."""
        at = self.running.endpoint
        folder = self.proc / str(at.pid)
        folder.mkdir(parents=True, exist_ok=True)
        fields = " ".join(["1", "42", "42", "0", "-1", *["0"] * 13, str(ticks), *["0"] * 5])
        (folder / "stat").write_text(f"{at.pid} (node) S (x) {state} {fields}\n")
        real = at.uid if uid is None else uid
        (folder / "status").write_text(f"Name:\tnode\nUid:\t{real}\t{real}\t{real}\t{real}\n")
        inside = f"/{self.own.relative_to(self.cgroups)}" if path is None else path
        (folder / "cgroup").write_text(f"0::{inside}\n")

    # --- Trouble ------------------------------------------------------------------------------------------------

    def hold_to(self, ceilings: Ceilings) -> None:
        """On the process' own group, as podman with crun does it."""
        for field, name in LIMITS.items():
            value = getattr(ceilings, field)
            text = "max" if value is None else str(value)
            if field == "cpus":
                text = "max 100000" if value is None else f"{round(value * 50_000)} 50000"
            (self.own / name).write_text(f"{text}\n")

    def count(self, counters: Counters) -> None:
        """Use on all groups, events where a kernel before 6.11 counts them."""
        assert counters.memory_bytes is not None
        assert counters.working_set_bytes is not None
        inactive = counters.memory_bytes - counters.working_set_bytes
        for group in self.groups:
            (group / "memory.current").write_text(f"{counters.memory_bytes}\n")
            (group / "memory.stat").write_text(f"anon 1\ninactive_file {inactive}\n")
            (group / "memory.events").write_text(f"oom 0\noom_kill {counters.oom_kills}\n")
            (group / "pids.current").write_text(f"{counters.pids}\n")
            used = f"usage_usec {round((counters.cpu_s or 0) * 1e6)}\n"
            throttled = round((counters.throttled_s or 0) * 1e6) if group == self.own else 0
            (group / "cpu.stat").write_text(f"{used}throttled_usec {throttled}\n")
        (self.own / "pids.events").write_text(f"max {counters.pids_refused}\n")

    def refuse(self, limit: str) -> None:
        """There is no such file in any of its groups: the controller was not delegated."""
        for group in self.groups:
            (group / LIMITS[limit]).unlink()

    def stick(self) -> None:
        """The thread does not answer any more."""
        with self._lock:
            self._stuck = True

    def vanish(self) -> None:
        """The process is gone as well."""
        with self._lock:
            shutil.rmtree(self.scope)
        shutil.rmtree(self.proc / str(self.running.endpoint.pid))

    def withdraw(self) -> None:
        """The first version's layout: no controllers at the root of the mount."""
        (self.cgroups / "cgroup.controllers").unlink()

    # --- the kernel's thread ------------------------------------------------------------------------------------

    @contextmanager
    def living(self) -> Iterator[None]:
        """Answers cgroup.freeze in cgroup.events inside the block."""
        over = threading.Event()
        thread = threading.Thread(target=self._live, args=(over,))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _live(self, over: threading.Event) -> None:
        while not over.wait(_LOOK_S):
            with self._lock:
                if not self._stuck and self.scope.exists():
                    self._freeze()

    def _freeze(self) -> None:
        frozen = False
        for group in self.groups:
            asked = (group / "cgroup.freeze").read_text().strip()
            if not asked:
                return  # it is being written at this moment
            frozen = frozen or asked == "1"
            events = group / "cgroup.events"
            before = events.read_text()
            after = before.partition("frozen")[0] + f"frozen {int(frozen)}\n"
            if after != before:
                draft = group / "draft"
                draft.write_text(after)
                draft.replace(events)
