"""The channel to the runtime inside a workspace. Everything that comes back through it is untrusted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from wsmgr.core.ids import ExecutionId, Slug, Version
from wsmgr.core.outcome import Emitted, Failure, LogEntry, Outcome
from wsmgr.core.plugin import PluginSource
from wsmgr.core.plugin_settings import NO_SETTINGS, PluginSettings
from wsmgr.core.workspace import Endpoint


@dataclass(frozen=True, slots=True)
class RuntimeHealth:
    """What a runtime says of itself. `uptime_s` in seconds; `plugins` are plain versions by slug."""

    status: str
    runtime: str
    uptime_s: float
    inflight: int
    executions: int
    plugins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """One execution as the runtime gets it. `input` and `context` are JSON values; `timeout_s` is the plugin's own.
    `revision`: of the settings that the plugin must have been put with."""

    execution: ExecutionId
    plugin: Slug
    version: Version
    input: object
    context: Mapping[str, object]
    timeout_s: float
    output_bytes: int
    log_bytes: int
    revision: str = ""


Listener = Callable[[LogEntry | Emitted], Awaitable[None]]
"""Is told what a plugin prints and emits, one piece after the other. While it takes its time no more is read, so that
the plugin waits in the end; it bounds that time by itself."""


class ChannelClosed(Exception):
    """The runtime could not be reached, or the connection ended before an answer.

    `sent` False: no byte of the request can have been acted on, so the call never started.
    """

    def __init__(self, sentence: str, *, sent: bool) -> None:
        super().__init__(sentence)
        self.sent = sent


class ChannelTimeout(Exception):
    """The runtime took the request and did not answer within the bound."""


class ProtocolViolation(Exception):
    """The answer is not what the contract allows: too large, malformed, from the wrong uid, not a socket."""


class UnknownVersion(Exception):
    """The runtime has not got that version, or not at that revision: push it and call again."""


class RuntimeBusy(Exception):
    """The runtime is draining and takes no new work; the call never started."""


class Channel(Protocol):
    """Talks to runtimes over pooled connections. Raises only the exceptions above, and InvalidRequest for an input that
    cannot be written as JSON (nested too deep, say), before anything is sent; each call has a bound in time."""

    async def health(self, at: Endpoint, timeout_s: float) -> RuntimeHealth:
        """Ask for health. Cheap; safe at any time."""
        ...

    async def put(
        self, at: Endpoint, plugin: PluginSource, timeout_s: float, settings: PluginSettings = NO_SETTINGS
    ) -> Failure | None:
        """Push and load a version with its settings: the runtime then has that version at that revision, and no other.
        A Failure (LOAD_ERROR) when it does not load: then the old one keeps serving."""
        ...

    async def delete(self, at: Endpoint, slug: Slug, timeout_s: float) -> None:
        """Make the runtime forget a plugin. Idempotent."""
        ...

    async def execute(self, at: Endpoint, call: Call, listener: Listener | None = None) -> Outcome:
        """Run one call. Bounded by the call's own timeout plus a grace for the runtime to say so.

        With a listener, it is told each log entry and each emitted value while the plugin runs, in their order, and all
        of them before this returns; the time that it takes is not counted. What it raises ends the call as cancelling
        does. Cancelling the awaiting task closes the connection, upon which the runtime cancels the execution.
        """
        ...

    async def cancel(self, at: Endpoint, execution: ExecutionId, timeout_s: float) -> bool:
        """Have the runtime end an execution, running or waiting there: its `execute` then returns a failure CANCELLED
        with what was printed so far. False when the runtime knows none of that id (any more, or yet)."""
        ...

    def forget(self, at: Endpoint) -> None:
        """Close what is pooled for this endpoint; it will not be used again."""
        ...

    async def close(self) -> None:
        """Close everything."""
        ...
