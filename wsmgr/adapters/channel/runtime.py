"""The channel to the runtimes. `execute` is the hot path of the daemon: no task, no thread, no needless copy."""

from __future__ import annotations

import asyncio

from wsmgr.adapters.channel import answers, requests
from wsmgr.adapters.channel.connection import Answer, Connection
from wsmgr.adapters.channel.hearing import hear
from wsmgr.adapters.channel.lines import Lines
from wsmgr.adapters.channel.pool import Pool
from wsmgr.adapters.channel.seals import Keys, KeysInside, Seals
from wsmgr.core.ids import ExecutionId, Slug
from wsmgr.core.outcome import Failure, Outcome
from wsmgr.core.plugin import Language, PluginSource
from wsmgr.core.plugin_settings import NO_SETTINGS, PluginSettings
from wsmgr.core.workspace import Endpoint
from wsmgr.ports.channel import Call, ChannelClosed, Listener, RuntimeHealth

_SMALL_ANSWER_BYTES = 1024 * 1024  # answers that carry no output: health, push, delete
_ANSWER_BYTES_MOST = 256 * 1024 * 1024
_SLACK_BYTES = 64 * 1024
KEY_S = 5.0
"""How long a runtime that has just answered may take to accept its key."""
_FRAMES = 16  # an emitted digit is a line of a dozen bytes


class RuntimeChannel:
    """HTTP over pooled unix connections.

    `grace_s`: seconds that a runtime gets beyond the plugin's own time limit to say how it ended.
    `connect_timeout_s`: how long a full backlog is waited for. The pool keeps at most `idle_per_endpoint` idle
    connections of one runtime and `idle_total` of all, each a descriptor. `keys`: where the runtimes' keys are kept.

    Besides what the port names, a call whose input cannot be written as JSON raises InvalidRequest; nothing is sent.
    """

    def __init__(
        self,
        *,
        grace_s: float = 2.0,
        connect_timeout_s: float = 2.0,
        idle_per_endpoint: int = 32,
        idle_total: int = 1024,
        keys: Keys | None = None,
    ) -> None:
        self._grace_s = grace_s
        self._connect_timeout_s = connect_timeout_s
        self._pool = Pool(idle_per_endpoint=idle_per_endpoint, idle_total=idle_total)
        self._seals = Seals(keys or KeysInside(), self._send_key)

    async def execute(self, at: Endpoint, call: Call, listener: Listener | None = None) -> Outcome:
        """Run one call; the bound is its own timeout plus the grace."""
        cap = min(call.output_bytes + call.output_bytes // 10 + 2 * call.log_bytes + _SLACK_BYTES, _ANSWER_BYTES_MOST)
        if listener is not None:
            return await self._stream(at, call, listener, cap)
        request = requests.execute(call, at.namespace)
        connection = await self._send(at, request, cap, self._connect_timeout_s)
        status, body = await self._answer(connection, call.timeout_s + self._grace_s)
        return answers.outcome_of(status, body, call)

    async def cancel(self, at: Endpoint, execution: ExecutionId, timeout_s: float) -> bool:
        """Have the runtime end an execution."""
        status, body = await self._ask_small(at, requests.cancel(execution), timeout_s)
        return answers.cancelled_of(status, body)

    async def health(self, at: Endpoint, timeout_s: float) -> RuntimeHealth:
        """Ask for health. Where owners share a runtime, `plugins` is empty: the names there are not theirs alone."""
        status, body = await self._ask_small(at, requests.HEALTH, timeout_s)
        return answers.health_of(status, body, shared=at.namespace is not None)

    async def put(
        self, at: Endpoint, plugin: PluginSource, timeout_s: float, settings: PluginSettings = NO_SETTINGS
    ) -> Failure | None:
        """Push and load a version with its settings."""
        # Also for a plugin without secrets: it may be the one that reads what is sent to the next.
        seal = await self._seals.of(at) if plugin.language is Language.JAVASCRIPT else None
        status, body = await self._ask_small(at, requests.put(plugin, settings, at.namespace, seal), timeout_s)
        return answers.load_failure_of(status, body)

    async def delete(self, at: Endpoint, slug: Slug, timeout_s: float) -> None:
        """Make the runtime forget a plugin."""
        status, body = await self._ask_small(at, requests.delete(slug, at.namespace), timeout_s)
        answers.check_deleted(status, body)

    def forget(self, at: Endpoint) -> None:
        """Close what is pooled for this endpoint; calls in flight end on their own."""
        self._pool.forget(at)
        self._seals.forget(at)

    async def close(self) -> None:
        """Close everything, also under calls in flight: those get ChannelClosed."""
        await self._pool.close()

    async def _send_key(self, at: Endpoint, key: bytes) -> bool:
        status, body = await self._ask_small(at, requests.key(key), KEY_S)
        return answers.took_key(status, body)

    async def _stream(self, at: Endpoint, call: Call, listener: Listener, line_bytes: int) -> Outcome:
        """As `execute`. The pieces together may be many times the output: a tiny one is mostly its frame."""
        request = requests.execute(call, at.namespace, stream=True)
        cap = _FRAMES * call.output_bytes + 2 * call.log_bytes + line_bytes
        lines = Lines(line_bytes)
        connection = await self._send(at, request, cap, self._connect_timeout_s, lines)
        try:
            heard = await hear(connection, lines, call, listener, call.timeout_s + self._grace_s)
        except BaseException:
            connection.drop()
            raise
        self._pool.give_back(connection)
        return heard if isinstance(heard, Outcome) else answers.outcome_of(*heard, call)

    async def _ask_small(self, at: Endpoint, request: bytes, timeout_s: float) -> Answer:
        """Send and await the answer, `timeout_s` in all."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        connection = await self._send(at, request, _SMALL_ANSWER_BYTES, min(timeout_s, self._connect_timeout_s))
        return await self._answer(connection, deadline - loop.time())

    async def _send(
        self, at: Endpoint, request: bytes, cap: int, connect_s: float, lines: Lines | None = None
    ) -> Connection:
        """The connection that took the request. One that died idle is replaced: the kernel took no byte for it."""
        connection = self._pool.take(at)
        while connection is not None and not connection.send(request, cap, lines):
            connection.abort()
            connection = self._pool.take(at)
        if connection is None:
            connection = await self._pool.connect(at, connect_s)
            if not connection.send(request, cap, lines):
                connection.abort()
                raise ChannelClosed("The runtime closed the connection before it took the request.", sent=False)
        return connection

    async def _answer(self, connection: Connection, timeout_s: float) -> Answer:
        try:
            answer = await connection.answer(timeout_s)
        except BaseException:
            connection.abort()
            raise
        self._pool.give_back(connection)
        return answer
