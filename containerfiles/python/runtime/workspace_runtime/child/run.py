"""Runs executions in the plugin's process, one at a time, and reports each outcome once."""

from __future__ import annotations

import json
import os
import sys
from _thread import _count as threads
from collections.abc import Mapping
from time import perf_counter, time
from types import AsyncGeneratorType, CoroutineType, GeneratorType

from workspace_runtime.child.channel import Channel
from workspace_runtime.child.context import Context
from workspace_runtime.child.describe import Described, describe_raised, encoded
from workspace_runtime.child.given import encodable
from workspace_runtime.child.load import Function
from workspace_runtime.child.logs import Logs, capture_logging
from workspace_runtime.frames import DONE, EMIT, END_HEAD, FAILED, RUN_HEAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TIMEOUT_DEFAULT_MS = 30_000
EMIT_BYTES = 16  # what an emit counts beside its JSON, so that empty ones are bounded as well
_PLAIN = (dict, list, str, int, float, type(None))


class OutputTooLarge(Exception):
    """A value has more bytes as JSON than it may have."""


class OutputInvalid(Exception):
    """A value that JSON does not have."""


class Runner:
    """Holds the loaded plugin, and the event loop of its async code from one execution to the next. `given`: members
    of every context."""

    def __init__(self, channel: Channel, logs: Logs, function: Function, given: Mapping[str, object]) -> None:
        self._channel = channel
        self._logs = logs
        self._function = function
        self._given = given
        # Taken before an execution runs: what the plugin does to `json` is then its own affair only.
        self._decode = json.JSONDecoder().decode
        self._encode = json.JSONEncoder(
            ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=encodable
        ).encode
        self._loop: Any = None
        self._threads = threads()
        self._seq = 0
        self._output_bytes = 0
        self._started = 0.0
        self._emitted_bytes = 0
        self._wants_emits = False

    def execute(self, seq: int, payload: bytes) -> None:
        """One execution, whose clock starts here."""
        self._started = perf_counter()
        self._seq = seq
        self._emitted_bytes = 0
        self._output_bytes, log_bytes, emits = RUN_HEAD.unpack_from(payload)
        self._wants_emits = bool(emits)
        capture_logging(self._logs)
        self._logs.begin(seq, log_bytes)
        ends = False
        try:
            kind, told = DONE, self._output(self._call(payload))
        except BaseException as error:
            ends = isinstance(error, SystemExit | MemoryError)
            kind, told = FAILED, encoded(self._described(error))
        self._end(kind, told, ends or threads() > self._threads or self._tasks_left())

    def _end(self, kind: int, told: bytes, left: bool) -> None:
        """Report the outcome. `left`: this process takes no other execution."""
        if not self._channel.owned:
            os._exit(0)  # the plugin forked, and this is the copy
        self._logs.end()
        seq, self._seq = self._seq, 0
        self._channel.send(kind, seq, END_HEAD.pack((perf_counter() - self._started) * 1000, left) + told)

    def _call(self, payload: bytes) -> object:
        asked = self._decode(payload[RUN_HEAD.size :].decode())
        timeout_ms = asked.get("timeoutMs") or _TIMEOUT_DEFAULT_MS
        own = {"executionId": asked.get("executionId"), "deadline": round(time() * 1000 + timeout_ms), **self._given}
        seq = self._seq
        context = Context({**(asked.get("context") or {}), **own}, lambda value: self._emit(value, seq))
        value: Any = asked.get("input")
        del asked, payload
        return self._finished(self._function(value, context))

    def _finished(self, result: Any) -> object:
        """What a result comes to in the end: an awaitable is awaited, a generator told step by step."""
        if isinstance(result, _PLAIN):
            return result
        if isinstance(result, GeneratorType):
            return self._generated(result)
        if isinstance(result, AsyncGeneratorType):
            return self._awaited(self._generated_later(result))
        if isinstance(result, CoroutineType):
            return self._awaited(result)
        return self._awaited(_awaiting(result)) if hasattr(result, "__await__") else result

    def _generated(self, steps: Any) -> object:
        while True:
            try:
                value = next(steps)
            except StopIteration as end:
                return end.value
            self._emit(value, self._seq)

    async def _generated_later(self, steps: Any) -> None:
        async for value in steps:
            self._emit(value, self._seq)

    def _awaited(self, coroutine: Any) -> object:
        import asyncio  # noqa: PLC0415  (45 ms that only async plugins pay, and only where the spawner has not)

        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        return self._loop.run_until_complete(coroutine)

    def _tasks_left(self) -> bool:
        """Whether async work goes on that nobody waits for: it would run, and print, within the next execution."""
        asyncio: Any = sys.modules.get("asyncio")
        if self._loop is None or asyncio is None:
            return False
        return self._loop.is_running() or bool(asyncio.all_tasks(self._loop))

    def _emit(self, value: object, seq: int) -> None:
        """Tell the caller a value before the end of execution `seq`; after that it belongs to nobody. Dropped when the
        caller does not listen; emits and output share one cap all the same."""
        if seq != self._seq:
            return
        try:
            text = self._output(value)
        except OutputTooLarge as error:
            # The plugin may catch whatever is raised, and go on for ever.
            self._end(FAILED, encoded(self._described(error)), left=True)
            os._exit(0)
        self._emitted_bytes += len(text) + EMIT_BYTES
        if self._wants_emits and self._channel.owned:
            self._channel.send(EMIT, seq, text)

    def _output(self, value: object) -> bytes:
        try:
            text = self._encode(value).encode()
        except (TypeError, ValueError, RecursionError) as error:
            why = str(describe_raised(error)["message"])
            raise OutputInvalid(f"The result cannot be written as JSON: {why}") from error
        size = self._emitted_bytes + len(text)
        if size > self._output_bytes:
            raise OutputTooLarge(f"The result has {size} bytes as JSON; {self._output_bytes} are allowed.")
        return text

    def _described(self, error: BaseException) -> Described:
        if isinstance(error, OutputInvalid | OutputTooLarge):
            return {"type": type(error).__name__, "message": str(error)[:4096]}
        return describe_raised(error)


async def _awaiting(result: Any) -> object:
    return await result
