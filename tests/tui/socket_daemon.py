"""The fake daemon on a unix socket, as a program of its own: for the real client on a real terminal.

python -m tests.tui.socket_daemon SOCKET COUNT CHANGES: so many workspaces, of which so many change each second, in turn
(one alone is always the first).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.tui import scenes
from tests.tui.fake_daemon import Call, FakeDaemon, daemon_with
from wsmgr.client import ApiError
from wsmgr.wire.fleet import FleetPulse
from wsmgr.wire.problem import PROBLEM_MEDIA_TYPE

BEAT_S = 1.0


class SocketDaemon:
    """HTTP/1.1, one request a connection; the live view as the real daemon sends it."""

    def __init__(self, fake: FakeDaemon, changes: int) -> None:
        self._fake = fake
        self._changes = changes
        self._round = 0

    async def serve(self, path: str) -> None:
        """Until SIGTERM."""
        server = await asyncio.start_unix_server(self._connection, path)
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        beat = asyncio.create_task(self._beats())
        await stop.wait()
        beat.cancel()
        server.close()

    async def _beats(self) -> None:
        """Each second some workspaces change; without one, the view only pulses."""
        while True:
            await asyncio.sleep(BEAT_S)
            self._round += 1
            every = list(self._fake.workspaces)
            first = self._round * self._changes % max(len(every), 1)
            keys = (every[first:] + every[:first])[: self._changes] if self._changes > 1 else every[: self._changes]
            if not keys:
                self._fake.pulse()
                continue
            some = [self._fake.workspaces[key] for key in keys]
            figures = {"cpu_percent": 10.0 + self._round % 80}
            self._fake.put(
                *(
                    one.model_copy(update={"resource_usage": one.resource_usage.model_copy(update=figures)})
                    for one in some
                )
            )

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, target, _ = head[0].split(" ")
            length = next((int(line.split(":")[1]) for line in head if line.lower().startswith("content-length")), 0)
            body = json.loads(await reader.readexactly(length)) if length else None
            url = urlsplit(target)
            if url.path == "/api/fleet/stream":
                await self._stream(writer)
            else:
                call = Call(method, unquote(url.path), dict(parse_qsl(url.query)), body)
                await self._answer(writer, call)
        with contextlib.suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()

    async def _answer(self, writer: asyncio.StreamWriter, call: Call) -> None:
        try:
            found = self._fake.answer(call)
            status, kind, text = "200 OK", "application/json", "" if found is None else found.model_dump_json()
        except ApiError as error:
            status, kind, text = f"{error.status} No", PROBLEM_MEDIA_TYPE, error.problem.model_dump_json()
        raw = text.encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + raw)
        await writer.drain()

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        async for update in self._fake.fleet():
            if isinstance(update, FleetPulse):
                writer.write(b": pulse\n\n")
            else:
                name = type(update).__name__.removeprefix("Fleet").lower()
                writer.write(f"event: {name}\ndata: {update.model_dump_json()}\n\n".encode())
            await writer.drain()


def main() -> None:
    """Serve until SIGTERM."""
    path, count, changes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    workspaces = scenes.usual() if count <= 8 else scenes.fleet(count)
    asyncio.run(SocketDaemon(daemon_with(workspaces), changes).serve(path))


if __name__ == "__main__":
    main()
