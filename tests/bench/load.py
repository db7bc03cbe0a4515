"""A load of HTTP calls over unix sockets, the same for the daemon and for a runtime asked directly."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import httptools
import uvloop


@dataclass(frozen=True)
class Figures:
    """Of one run: calls a second, and the median and 99th percentile of a call in milliseconds."""

    calls_s: float
    p50_ms: float
    p99_ms: float


class _Connection(asyncio.Protocol):
    """Sends one prepared request after another."""

    def __init__(self, request: bytes, calls: int, times: list[float]) -> None:
        self._request = request
        self._left = calls
        self._times = times
        self._parser = httptools.HttpResponseParser(self)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._times.append(time.perf_counter() - self._sent)
        if self._parser.get_status_code() != 200:
            self.done.set_exception(RuntimeError(f"the answer has status {self._parser.get_status_code()}"))
            return
        self._parser = httptools.HttpResponseParser(self)
        self._left -= 1
        if self._left:
            self._send()
        else:
            self._transport.close()
            self.done.set_result(None)

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)  # type: ignore[attr-defined]  # it is a WriteTransport


def request(path: str, body: bytes) -> bytes:
    """A whole POST."""
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def run(socket: str, prepared: bytes, *, clients: int, calls: int) -> Figures:
    """`calls` calls over `clients` connections at once."""

    async def load() -> tuple[float, list[float]]:
        loop = asyncio.get_running_loop()
        times: list[float] = []
        each = calls // clients
        started = time.perf_counter()
        made = [
            await loop.create_unix_connection(lambda: _Connection(prepared, each, times), socket)
            for _ in range(clients)
        ]
        await asyncio.gather(*(connection.done for _, connection in made))
        return time.perf_counter() - started, times

    took, times = uvloop.run(load())
    times.sort()
    return Figures(len(times) / took, times[len(times) // 2] * 1000, times[int(len(times) * 0.99)] * 1000)
