"""A runtime in the test process that does exactly what a script says, byte by byte, also what no runtime should."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """One request as it came; `connection` counts connections from 1."""

    connection: int
    method: str
    path: str
    body: bytes

    def json(self) -> dict[str, object]:
        """The body as an object."""
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value


@dataclass(frozen=True)
class Wire:
    """What a script may do with the connection besides returning the bytes of an answer."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def until_closed(self) -> None:
        """Return when the client has gone."""
        while await self.reader.read(65536):
            pass


Script = Callable[[Request, Wire], Awaitable[bytes | None]]
"""Returns the raw answer, or None: the connection is closed without one."""


def answer(body: object, status: int = 200, extra: str = "") -> bytes:
    """A correct answer with a JSON body; `extra` are more header lines, each ending in CRLF."""
    text = json.dumps(body).encode()
    return raw(text, status, extra)


def raw(body: bytes, status: int = 200, extra: str = "", length: int | None = None) -> bytes:
    """An answer of these body bytes; `length` lies about how many there are."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status} Whatever\r\nContent-Length: {size}\r\n{extra}\r\n".encode() + body


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


def chunk(line: object) -> bytes:
    """One line of a stream in a chunk of its own; bytes go as they are."""
    text = line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
    return b"%x\r\n%s\r\n" % (len(text), text)


def stream(*lines: object) -> bytes:
    """A whole answer of these lines."""
    return STREAM_HEAD + b"".join(map(chunk, lines)) + LAST_CHUNK


def succeeded(**changes: object) -> dict[str, object]:
    """The body of a successful execution, with fields replaced."""
    fields = {
        "success": True,
        "output": {"answer": 42},
        "error": None,
        "logs": [],
        "logsTruncated": False,
        "durationMs": 1.5,
    }
    return {**fields, **changes}


class RuntimeServer:
    """Serves on a unix socket. `script` may be replaced at any time; `requests` keeps what came.

    `connections` counts those that were accepted; `wires` are those that are open.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests: list[Request] = []
        self.connections = 0
        self.wires: set[Wire] = set()
        self.script: Script = always(answer(succeeded()))
        self._changed = asyncio.Condition()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Bind and listen."""
        self._server = await asyncio.start_unix_server(self._serve, self.path, limit=64 * 1024 * 1024)

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        assert self._server is not None
        self._server.close()
        for wire in list(self.wires):
            wire.writer.transport.abort()
        await self.until(lambda: not self.wires)
        self.path.unlink(missing_ok=True)

    async def until(self, holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Wait until a condition on this server holds; it is looked at whenever something happens here."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(holds)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        wire = Wire(reader, writer)
        self.wires.add(wire)
        await self.tell()
        try:
            while (request := await self._read(reader, self.connections)) is not None:
                self.requests.append(request)
                await self.tell()
                reply = await self.script(request, wire)
                if reply is None:
                    break
                writer.write(reply)
                await writer.drain()
        except ConnectionError:
            pass  # the client went away: often what the test is about
        finally:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self.wires.discard(wire)
            await self.tell()

    async def tell(self) -> None:
        """Something has changed: look again."""
        async with self._changed:
            self._changed.notify_all()

    @staticmethod
    async def _read(reader: asyncio.StreamReader, connection: int) -> Request | None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return None
        line, *headers = head.split("\r\n")
        method, path, _ = line.split(" ")
        lengths = [each.split(":")[1] for each in headers if each.lower().startswith("content-length:")]
        body = await reader.readexactly(int(lengths[0])) if lengths else b""
        return Request(connection, method, path, body)


def always(reply: bytes | None) -> Script:
    """The same answer to everything."""

    async def script(_request: Request, _wire: Wire) -> bytes | None:
        return reply

    return script


async def silent(_request: Request, wire: Wire) -> bytes | None:
    """Takes the request and never answers."""
    await wire.until_closed()
    return None


@asynccontextmanager
async def serving(path: Path) -> AsyncIterator[RuntimeServer]:
    """A started server, stopped at the end."""
    server = RuntimeServer(path)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
