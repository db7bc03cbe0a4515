"""A channel in memory that tests program: what plugins answer, and every way a runtime can misbehave."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from wsmgr.core.ids import ExecutionId, Slug
from wsmgr.core.outcome import Emitted, Failure, FailureType, LogEntry, Outcome
from wsmgr.core.plugin import PluginSource
from wsmgr.core.plugin_settings import NO_SETTINGS, PluginSettings
from wsmgr.core.workspace import Endpoint
from wsmgr.ports.channel import (
    Call,
    ChannelClosed,
    ChannelTimeout,
    Listener,
    ProtocolViolation,
    RuntimeBusy,
    RuntimeHealth,
    UnknownVersion,
)

Plugin = Callable[[Call], Outcome]


class Mood(StrEnum):
    """How a runtime behaves from now on.

    WELL: as the contract says. ABSENT: nothing listens. DRAINING: refuses executions. SILENT: takes a request and
    never answers. DYING: takes a request and drops the connection. GARBLED: answers what is not the contract's.
    """

    WELL = "well"
    ABSENT = "absent"
    DRAINING = "draining"
    SILENT = "silent"
    DYING = "dying"
    GARBLED = "garbled"


def echo(call: Call) -> Outcome:
    """The default plugin: its output is its input."""
    return Outcome(call.input, None, (), logs_truncated=False, duration_ms=1.0)


@dataclass
class FakeRuntime:
    """One runtime: what it holds, what it was asked, and how it behaves.

    `does` maps a slug to what its plugin answers (default: echo); `refuses` maps a slug to why it does not load.
    `says` maps a slug to what its plugin prints and emits before its end. `calls` are the executions that reached a
    plugin, `cancelled` those whose caller went away meanwhile, `ended` those that were cancelled by their id.
    """

    mood: Mood = Mood.WELL
    plugins: dict[Slug, PluginSource] = field(default_factory=dict)
    settings: dict[Slug, PluginSettings] = field(default_factory=dict)
    does: dict[str, Plugin] = field(default_factory=dict)
    refuses: dict[str, Failure] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    cancelled: list[Call] = field(default_factory=list)
    says: dict[str, Sequence[LogEntry | Emitted]] = field(default_factory=dict)
    ended: list[ExecutionId] = field(default_factory=list)
    running: dict[ExecutionId, asyncio.Event] = field(default_factory=dict)
    inflight: int = 0


class FakeChannel:
    """Behaves as the contract says. Every endpoint has a healthy, empty runtime until a test says otherwise.

    `asked` records every call as (method, endpoint). `sleep` waits out the bound of a SILENT runtime, so that a test
    with a clock of its own can own that as well.
    """

    def __init__(
        self, *, grace_s: float = 2.0, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, latency_s: float = 0.0
    ) -> None:
        self.asked: list[tuple[str, Endpoint]] = []
        self.forgotten: list[Endpoint] = []
        self.closed = False
        self._grace_s = grace_s
        self._sleep = sleep
        self._latency_s = latency_s
        self._runtimes: dict[Endpoint, FakeRuntime] = defaultdict(FakeRuntime)
        self._failures: dict[str, deque[Exception]] = defaultdict(deque)
        self._held: dict[str, asyncio.Event] = {}
        self._broken: dict[Endpoint, asyncio.Event] = defaultdict(asyncio.Event)

    # --- what tests program -------------------------------------------------------------------------------------

    def runtime(self, at: Endpoint) -> FakeRuntime:
        """The runtime behind that endpoint."""
        return self._runtimes[at]

    def fail(self, method: str, error: Exception, times: int = 1) -> None:
        """The next `times` calls of `method` raise `error` and do nothing."""
        self._failures[method].extend([error] * times)

    @contextmanager
    def held(self, method: str) -> Iterator[None]:
        """Inside the block calls of `method` reach the runtime and get no answer; they go on at its end."""
        gate = self._held[method] = asyncio.Event()
        try:
            yield
        finally:
            del self._held[method]
            gate.set()

    def kill(self, at: Endpoint) -> None:
        """The runtime dies: calls in flight are lost, and nothing listens any more."""
        self._runtimes[at].mood = Mood.ABSENT
        self._broken.pop(at, asyncio.Event()).set()

    # --- the port -----------------------------------------------------------------------------------------------

    async def health(self, at: Endpoint, timeout_s: float) -> RuntimeHealth:
        """What the fake runtime holds."""
        runtime = await self._reached("health", at, timeout_s)
        status = "draining" if runtime.mood is Mood.DRAINING else "healthy"
        plugins: dict[str, str] = {} if at.namespace else {slug: held.version for slug, held in runtime.plugins.items()}
        return RuntimeHealth(status, "fake", 1.0, runtime.inflight, len(runtime.calls), plugins)

    async def put(
        self, at: Endpoint, plugin: PluginSource, timeout_s: float, settings: PluginSettings = NO_SETTINGS
    ) -> Failure | None:
        """Keeps the version unless `refuses` names its slug."""
        runtime = await self._reached("put", at, timeout_s)
        if plugin.slug in runtime.refuses:
            return runtime.refuses[plugin.slug]
        runtime.plugins[plugin.slug] = plugin
        runtime.settings[plugin.slug] = settings
        return None

    async def delete(self, at: Endpoint, slug: Slug, timeout_s: float) -> None:
        """Forgets the plugin."""
        runtime = await self._reached("delete", at, timeout_s)
        runtime.plugins.pop(slug, None)

    async def cancel(self, at: Endpoint, execution: ExecutionId, timeout_s: float) -> bool:
        """Ends one that runs."""
        runtime = await self._reached("cancel", at, timeout_s)
        if execution not in runtime.running:
            return False
        runtime.ended.append(execution)
        runtime.running[execution].set()
        return True

    async def execute(self, at: Endpoint, call: Call, listener: Listener | None = None) -> Outcome:
        """Tells what `says` has of the slug, then runs what `does` says of it, if that version was pushed."""
        runtime = await self._reached("execute", at, call.timeout_s + self._grace_s)
        if runtime.mood is Mood.DRAINING:
            raise RuntimeBusy
        held = runtime.plugins.get(call.plugin)
        if held is None or held.version != call.version or runtime.settings[call.plugin].revision != call.revision:
            raise UnknownVersion
        runtime.calls.append(call)
        runtime.inflight += 1
        ended = runtime.running[call.execution] = asyncio.Event()
        said = runtime.says.get(call.plugin, ())
        try:
            if listener is not None:
                for piece in said:
                    await listener(piece)
            await self._run("execute", at, ended)
        except BaseException as error:
            if not isinstance(error, ChannelClosed):
                runtime.cancelled.append(call)
            raise
        finally:
            runtime.inflight -= 1
            runtime.running.pop(call.execution, None)
        if ended.is_set():
            logs = tuple(piece for piece in said if isinstance(piece, LogEntry))
            return Outcome(None, Failure(FailureType.CANCELLED, "cancelled"), logs, logs_truncated=False, duration_ms=1)
        return runtime.does.get(call.plugin, echo)(call)

    def forget(self, at: Endpoint) -> None:
        """Only noted."""
        self.forgotten.append(at)

    async def close(self) -> None:
        """After this nothing can be reached."""
        self.closed = True
        for broken in self._broken.values():
            broken.set()

    # --- inside -------------------------------------------------------------------------------------------------

    async def _reached(self, method: str, at: Endpoint, timeout_s: float) -> FakeRuntime:
        self.asked.append((method, at))
        await asyncio.sleep(0)  # a real channel never answers within one step of the loop
        if self._failures[method]:
            raise self._failures[method].popleft()
        runtime = self._runtimes[at]
        if self.closed or runtime.mood is Mood.ABSENT:
            raise ChannelClosed(f"Nothing listens at {at.socket}.", sent=False)
        if runtime.mood is Mood.DYING:
            raise ChannelClosed("The connection to the runtime ended before an answer.", sent=True)
        if runtime.mood is Mood.GARBLED:
            raise ProtocolViolation("The answer is not JSON.")
        if runtime.mood is Mood.SILENT:
            await self._sleep(timeout_s)
            raise ChannelTimeout(f"The runtime did not answer within {timeout_s:g} s.")
        if method != "execute":
            await self._run(method, at)
        return runtime

    async def _run(self, method: str, at: Endpoint, ended: asyncio.Event | None = None) -> None:
        """Waits while the method is held, and is broken off when the runtime dies meanwhile."""
        if self._latency_s:
            await self._sleep(self._latency_s)
        gate = self._held.get(method)
        if gate is None:
            return
        broken = self._broken[at]
        events = [gate, broken, *([] if ended is None else [ended])]
        waits = [asyncio.ensure_future(event.wait()) for event in events]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if broken.is_set() and not gate.is_set():
                raise ChannelClosed("The connection to the runtime ended before an answer.", sent=True)
        finally:
            for wait in waits:
                wait.cancel()


def failing(type_: FailureType, message: str = "it failed") -> Plugin:
    """A plugin that ends in that failure."""
    return lambda _call: Outcome(None, Failure(type_, message), (), logs_truncated=False, duration_ms=1.0)
