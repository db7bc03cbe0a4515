"""Deadlines, memory and leftovers of everything that executes, on one ticker that stops when nothing does.

A process that wants too much at once gets a MemoryError (RLIMIT_DATA, see child/entry.py). This watchdog adds up what
all of them hold, and ends the greediest at a share of what the workspace has: the kernel's limit, where there is one,
is behind it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable

from workspace_runtime import kernel
from workspace_runtime.loop import Loop

TYPE_CHECKING = False  # `typing` takes milliseconds to import, and is for checkers alone
if TYPE_CHECKING:
    from workspace_runtime.settings import Settings
    from workspace_runtime.worker import Worker

TICK_S = 0.01
_QUIET_TICKS = 50  # ticks without work before the ticker stops
_MEMORY_TICKS = 2
_SWEEP_TICKS = 10
_EASE_SHARE = 0.5  # of the memory budget: from here idle processes go
_KILL_SHARE = 0.85  # and here the greediest is ended; the rest is room for what it allocates meanwhile
_SUSPECT_SHARE = 0.25  # a process that held so much and was killed by somebody was killed by the kernel


class Guard:
    """`spared` are the pids of the runtime that are no plugin's. The pool sets `relieve`, which ends idle processes,
    `idle`, `each_tick` and `known`."""

    def __init__(self, settings: Settings, loop: Loop, spawner: int) -> None:
        self._budget = settings.memory_bytes
        self._loop = loop
        self._spawner = spawner
        self._watched: set[Worker] = set()
        self._ticks = 0
        self._quiet = 0
        self._shared: int | None = None
        self._at_rest = 0
        self.relieve: Callable[[], None] = lambda: None
        self.idle: Callable[[], Iterable[Worker]] = lambda: ()
        self.each_tick: Callable[[], None] = lambda: None
        self.known: Callable[[int], bool] = lambda _pid: True
        loop.on_tick = self._tick

    def watch(self, worker: Worker) -> None:
        """It executes, or loads."""
        self._watched.add(worker)
        self._quiet = 0
        self._loop.tick(True)
        if self._shared is None:
            # What every plugin's process is forked with is one and the same memory, until it is written to.
            self._shared = kernel.private_bytes(self._spawner)
            self._at_rest = kernel.private_bytes(os.getpid()) + self._shared

    def unwatch(self, worker: Worker) -> None:
        """It rests, or has ended."""
        self._watched.discard(worker)

    def ran_out(self, worker: Worker) -> bool:
        """Whether a process that was killed by nobody here was probably killed for its memory."""
        return (worker.bytes or 0) >= self._budget * _SUSPECT_SHARE

    def sweep(self) -> None:
        """End what plugins have left behind: orphans become the runtime's children."""
        for pid in kernel.children(os.getpid()):
            if pid != self._spawner and not self.known(pid):
                kernel.kill_tree(pid)

    def _tick(self) -> None:
        self._ticks += 1
        if self._ticks % _SWEEP_TICKS == 0:
            self.sweep()
            for worker in self.idle():
                worker.measure(self._shared or 0)
        self.each_tick()
        if not self._watched:
            self._quiet += 1
            if self._quiet > _QUIET_TICKS:
                self._loop.tick(False)
            return
        self._quiet = 0
        now = time.monotonic()
        for worker in list(self._watched):
            if now >= worker.deadline:
                worker.expire()
        if self._ticks % _MEMORY_TICKS == 0:
            self._check_memory()

    def _check_memory(self) -> None:
        for worker in self._watched:
            worker.measure(self._shared or 0)
        busy = sum(worker.bytes or 0 for worker in self._watched)
        used = self._at_rest + busy + sum(worker.bytes or 0 for worker in self.idle())
        if used >= self._budget * _EASE_SHARE:
            self.relieve()
            used = self._at_rest + busy
        if used >= self._budget * _KILL_SHARE and self._watched:
            max(self._watched, key=lambda worker: worker.bytes or 0).outgrow()
