"""One process that holds one loaded plugin version, seen from the runtime. It loads, then runs one execution at a time.

Everything it says is untrusted: sizes, and the execution it speaks of, are checked, and a process that says anything
else is ended.

Why a process runs many executions, and is not forked anew for each: a warm call then costs no fork (milliseconds, and
more of them the more the plugin has loaded), and a plugin may keep what it has worked out. A crash takes one execution
with it either way, because a process has one at a time; and one that leaves threads, tasks or processes behind is not
used again.
"""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable, Mapping

from workspace_runtime import kernel, outcomes
from workspace_runtime.frames import (
    ASYNCHRONOUS,
    DONE,
    EMIT,
    END_HEAD,
    FAILED,
    LEVELS,
    LOAD,
    LOAD_FAILED,
    LOG,
    READY,
    RUN,
    RUN_HEAD,
    frame,
)
from workspace_runtime.line import Line
from workspace_runtime.logbook import Logbook
from workspace_runtime.loop import Loop
from workspace_runtime.outcomes import Error, LoadFailure
from workspace_runtime.pipes import Pipes

TYPE_CHECKING = False  # `typing` takes milliseconds to import, and is for checkers alone
if TYPE_CHECKING:
    from typing import Protocol

    from workspace_runtime.execution import Execution
    from workspace_runtime.plugins import Plugin

    class Owner(Protocol):
        """Who is told of a worker."""

        def settled(self, worker: Worker, execution: Execution) -> None: ...

        def ended(self, worker: Worker) -> None: ...


_SLACK_BYTES = 65536  # of a frame, besides what it may hold
_ERROR_BYTES = 256 * 1024
_SILENT_S = 1.0
_FOREVER = float("inf")


class Worker:
    """`deadline` is on the monotonic clock. `fit`: may be given another execution. `ended`: no longer used; its process
    may still be on its way out. `bytes` is what it held when it was last measured, its processes included."""

    def __init__(self, plugin: Plugin, pid: int, fds: Mapping[str, int], loop: Loop, owner: Owner) -> None:
        self.plugin = plugin
        self.pid = pid
        self.deadline = _FOREVER
        self.ended = False
        self.fit = True
        self.bytes: int | None = None
        self._owner = owner
        control = socket.socket(fileno=fds["control"])
        self._line = Line(control, loop, self._most, self._receive, self._overlong, self._hang_up)
        self._pipes = Pipes({fds["stdout"]: "stdout", fds["stderr"]: "stderr"}, loop, self._printed)
        self._seq = 0
        self._children: frozenset[int] = frozenset()
        self._execution: Execution | None = None
        self._logs = Logbook(0)
        self._started = 0.0
        self._timeout_ms = 0.0
        self._loaded: Callable[[LoadFailure | None], None] | None = None
        self._silent = False
        self._reaped = False

    def load(self, timeout_ms: float, loaded: Callable[[LoadFailure | None], None]) -> None:
        """Have it load its plugin; `loaded` is called once, with why it did not."""
        self._loaded = loaded
        self._timeout_ms = timeout_ms
        self.deadline = time.monotonic() + timeout_ms / 1000
        self._line.send(frame(LOAD, 0, json.dumps(self.plugin.source).encode()))

    def run(self, execution: Execution) -> None:
        """Start an execution; its clock starts here."""
        self._execution = execution
        self._seq = (self._seq + 1) & 0xFFFFFFFF
        self._logs = Logbook(execution.log_bytes)
        self._timeout_ms = execution.timeout_ms
        self._started = time.monotonic()
        self.deadline = self._started + execution.timeout_ms / 1000
        head = RUN_HEAD.pack(execution.output_bytes, execution.log_bytes, execution.stream)
        self._line.send(frame(RUN, self._seq, head + execution.body))

    def expire(self) -> None:
        """The deadline has passed. An answer that is here already, and only unread, still counts."""
        self._line.read()
        if self.ended or time.monotonic() < self.deadline:
            return
        if self._silent:
            self._end(outcomes.crashed("it closed its connection to the runtime."))
        else:
            self._end(outcomes.timeout(self._timeout_ms))

    def outgrow(self) -> None:
        """It holds more memory than there is for it."""
        self._stop(outcomes.out_of_memory())

    def cancel(self) -> None:
        """Nobody wants its answer any more."""
        self._stop(outcomes.cancelled())

    def retire(self) -> None:
        """End a process that nobody waits for."""
        self._end(outcomes.cancelled())

    def died(self, status: int, *, out_of_memory: bool) -> None:
        """Its process has ended and was waited for; what it said before still counts."""
        self._reaped = True
        killed = outcomes.status_code(status) == -signal.SIGKILL
        self._stop(outcomes.out_of_memory() if killed and out_of_memory else outcomes.ended_by_itself(status))

    def measure(self, shared_bytes: int) -> None:
        """Take what it holds: `shared_bytes` of each process are what it was forked with."""
        every = [self.pid, *kernel.descendants(self.pid)]
        self.bytes = sum(max(0, kernel.private_bytes(pid) - shared_bytes) for pid in every)

    # What it says.

    def _hang_up(self) -> None:
        """A process that goes on without its socket gets a moment to end."""
        self.fit = False
        self._silent = True
        if self._execution is None and self._loaded is None:
            self._end(None)
        else:
            self.deadline = min(self.deadline, time.monotonic() + _SILENT_S)

    def _overlong(self) -> None:
        self._end(outcomes.crashed("it sent more than is allowed."))

    def _most(self, kind: int) -> int:
        execution = self._execution
        if execution is None or kind not in (DONE, EMIT, LOG):
            return _ERROR_BYTES
        return (4 * execution.log_bytes if kind == LOG else execution.output_bytes) + _SLACK_BYTES

    def _receive(self, kind: int, seq: int, payload: bytes) -> None:
        execution = self._execution
        if execution is not None and seq == self._seq:
            if kind == LOG and payload and payload[0] < len(LEVELS):
                self._log(LEVELS[payload[0]], payload[1:].decode(errors="replace"))
            elif kind == EMIT and payload and b"\n" not in payload:
                execution.tell(b"emit", payload)
                self._hold_back()
            elif kind in (DONE, FAILED) and len(payload) >= END_HEAD.size:
                self._told_the_end(kind, payload, execution)
            else:
                self._malformed()
        elif kind == READY and self._loaded is not None:
            self.plugin.asynchronous = payload == ASYNCHRONOUS
            self._children = frozenset(kernel.children(self.pid))
            self._load_over(None)
        elif kind == LOAD_FAILED and self._loaded is not None:
            self._end(None, outcomes.load_failure(payload))
        else:
            self._malformed()

    def _malformed(self) -> None:
        self._end(outcomes.crashed("it sent a malformed message."))

    def _told_the_end(self, kind: int, payload: bytes, execution: Execution) -> None:
        duration, left = END_HEAD.unpack_from(payload)
        told = payload[END_HEAD.size :]
        if kind == DONE and (not told or len(told) > execution.output_bytes or b"\n" in told):
            self._malformed()
            return
        self._pipes.drain()
        self.fit = self.fit and not left and frozenset(kernel.children(self.pid)) <= self._children
        if kind == DONE:
            self._settle(told, None, duration)
        else:
            self._settle(b"null", outcomes.reported(told), duration)

    def _printed(self, level: str, text: str) -> None:
        """Past the cap, and between executions, it is dropped."""
        if self._execution is not None and not self._logs.truncated:
            self._log(level, text)

    def _log(self, level: str, message: str) -> None:
        entry = self._logs.add(level, message)
        if entry is not None and self._execution is not None:
            self._execution.tell(b"log", entry)
            self._hold_back()

    def _hold_back(self) -> None:
        """A client that reads slowly slows down the plugin, and fills no memory."""
        execution = self._execution
        if execution is not None and execution.stream and execution.reply.full:
            execution.reply.on_drained = self._line.resume
            self._line.pause()

    # Its end.

    def _settle(self, output: bytes, error: Error | None, told_ms: float | None) -> None:
        execution, self._execution = self._execution, None
        if execution is None:
            return
        self.deadline = _FOREVER
        execution.reply.on_drained = None
        self._line.resume()
        here_ms = (time.monotonic() - self._started) * 1000
        duration = told_ms if told_ms is not None and 0 <= told_ms <= here_ms + 1 else here_ms
        execution.settle(output, error, bytes(self._logs.text), self._logs.truncated, round(duration, 3))
        self._owner.settled(self, execution)

    def _load_over(self, failure: LoadFailure | None) -> None:
        loaded, self._loaded = self._loaded, None
        if failure is None:
            self.deadline = _FOREVER
        if loaded is not None:
            loaded(failure)

    def _stop(self, error: Error) -> None:
        """Read what it has said by now, then end it: prints are kept, and an answer that is there is one."""
        self._line.read()
        self._end(error)

    def _end(self, error: Error | None, failure: LoadFailure | None = None) -> None:
        """End the process; whatever it was doing ends with `error` (or `failure`, when it was loading)."""
        if self.ended:
            return
        self._pipes.drain()
        self.ended = True
        self.fit = False
        self.deadline = _FOREVER
        if not self._reaped:
            kernel.kill_tree(self.pid)
        self._line.close()
        self._pipes.close()
        self._owner.ended(self)
        error = error or outcomes.cancelled()
        if self._loaded is not None:
            self._load_over(failure or outcomes.loading_ended(error))
        if self._execution is not None:
            self._settle(b"null", error, None)
