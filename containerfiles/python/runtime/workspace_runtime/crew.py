"""The processes of plugins: forked on demand, warm while they are idle, waited for when they have ended."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from workspace_runtime.guard import Guard
from workspace_runtime.loop import Loop
from workspace_runtime.plugins import Plugin
from workspace_runtime.settings import MEBIBYTE, Settings
from workspace_runtime.spawner import CannotSpawn, Spawner
from workspace_runtime.worker import Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from workspace_runtime.worker import Owner

_WORKER_BYTES = 16 * MEBIBYTE  # what an idle process may hold, with room
_RUNTIME_BYTES = 64 * MEBIBYTE
_WARM_MOST = 16


class Crew:
    """Counts them. The least recently used of those that are idle go when there are too many."""

    def __init__(self, settings: Settings, loop: Loop, guard: Guard, spawner: Spawner) -> None:
        self._memory_bytes = settings.memory_bytes
        self._pids = settings.pids
        self._loop = loop
        self._guard = guard
        self._spawner = spawner
        self._warm: dict[Worker, None] = {}  # idle, least recently used first
        self._workers: dict[int, Worker] = {}  # every process that is not waited for, by pid
        self._asynchronous = False  # a plugin here has needed asyncio, so the next version of it will
        self._when_gone: list[Callable[[], None]] = []
        self.alive = 0  # those that are in use
        room = (settings.memory_bytes - _RUNTIME_BYTES) // _WORKER_BYTES
        self._most = max(settings.concurrency, min(_WARM_MOST, room))
        guard.relieve = lambda: self._shrink(0)
        guard.idle = self._warm.keys
        guard.known = self._workers.__contains__

    @property
    def leaving(self) -> int:
        """Processes that were told to end and have not."""
        return len(self._workers) - self.alive

    def take(self, plugin: Plugin) -> Worker | None:
        """An idle one that holds the plugin, to be used now."""
        if not plugin.idle:
            return None
        worker = plugin.idle.pop()
        del self._warm[worker]
        self._guard.watch(worker)
        return worker

    def rest(self, worker: Worker) -> None:
        """It is idle now."""
        self._asynchronous = self._asynchronous or worker.plugin.asynchronous
        self._guard.unwatch(worker)
        self._warm[worker] = None
        worker.plugin.idle.append(worker)

    def spawn(self, plugin: Plugin, owner: Owner) -> Worker:
        """A new process, which has to load. Raises CannotSpawn."""
        self._shrink(self._most - 1)
        control, theirs = socket.socketpair()
        pipes = [os.pipe2(os.O_CLOEXEC) for _ in range(2)]
        order: dict[str, object] = {"slug": plugin.slug, "runtime": os.getpid()}
        order |= {"memory": self._memory_bytes, "pids": self._pids}
        order["asyncio"] = self._asynchronous
        try:
            pid = self._spawner.spawn(order, [theirs.fileno(), pipes[0][1], pipes[1][1]])
        except CannotSpawn:
            control.close()
            for read, _ in pipes:
                os.close(read)
            raise
        finally:
            theirs.close()
            for _, write in pipes:
                os.close(write)
        for read, _ in pipes:
            os.set_blocking(read, False)
        fds = {"control": control.detach(), "stdout": pipes[0][0], "stderr": pipes[1][0]}
        worker = Worker(plugin, pid, fds, self._loop, owner)
        self._workers[pid] = worker
        self.alive += 1
        plugin.holders += 1
        self._guard.watch(worker)
        return worker

    def ended(self, worker: Worker) -> None:
        """No longer used, whoever ended it."""
        self.alive -= 1
        self._guard.unwatch(worker)
        if worker in self._warm:
            del self._warm[worker]
            worker.plugin.idle.remove(worker)
        worker.plugin.holders -= 1
        worker.plugin.let_go()

    def reaped(self, pid: int, status: int) -> None:
        """A process was waited for; it may be none of these."""
        worker = self._workers.pop(pid, None)
        if worker is None:
            return
        if not worker.ended:
            worker.died(status, out_of_memory=self._guard.ran_out(worker))
        self._tell_if_gone()

    def end_all(self, gone: Callable[[], None]) -> None:
        """End every process; `gone` is called when the last has been waited for."""
        self._when_gone.append(gone)
        for worker in list(self._workers.values()):
            worker.retire()
        self._tell_if_gone()

    def _shrink(self, most: int) -> None:
        """End the least recently used idle processes until at most `most` are left, or none is idle."""
        for worker in list(self._warm):
            if self.alive <= most:
                return
            worker.retire()

    def _tell_if_gone(self) -> None:
        if not self._workers:
            waiting, self._when_gone = self._when_gone, []
            for gone in waiting:
                gone()
