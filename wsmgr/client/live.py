"""The live view for asyncio programs, on a connection of its own.

By asyncio and h11 alone: httpx takes longer to load than a terminal UI has until its first rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import h11

from wsmgr.client.asking import PATH, request
from wsmgr.client.errors import ClientError
from wsmgr.client.failures import CONNECT_S, broken_off, overloaded, silent, unreachable
from wsmgr.client.fleet import OPERATION, SILENCE_S, FleetLines, ended, refuse
from wsmgr.client.sse import EVENT_STREAM
from wsmgr.client.target import Target, UnixTarget
from wsmgr.wire.fleet import FleetUpdate

_PIECE = 2**18
"""So many bytes are taken at once: a snapshot of a thousand workspaces is more than a megabyte."""


class LiveView:
    """One connection to the live view, for one reader. `asked`: what `wsmgr.client.asking.ask` gave, and which is this
    view's from now on."""

    def __init__(self, target: Target, *, silence_s: float = SILENCE_S, asked: socket.socket | None = None) -> None:
        self._target = target
        self._silence_s = silence_s
        self._asked = asked
        self._http = h11.Connection(our_role=h11.CLIENT)
        # It reads the answer only if it knows of the request; the bytes are `asking`'s.
        self._http.send(h11.Request(method="GET", target=PATH, headers=[("Host", "wsmgr")]))
        self._http.send(h11.EndOfMessage())

    async def updates(self) -> AsyncIterator[FleetUpdate]:
        """What comes, without end but by an error of `wsmgr.client.errors`."""
        reader, writer = await self._connect()
        try:
            async for update in self._read(reader):
                yield update
        except (OSError, h11.RemoteProtocolError) as error:
            raise broken_off(OPERATION, self._target) from error
        finally:
            # Nothing is left to be said, so nothing is waited for: a daemon that hangs reads no more.
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            async with asyncio.timeout(CONNECT_S):
                if self._asked is not None:
                    return await asyncio.open_unix_connection(sock=self._asked, limit=_PIECE)
                reader, writer = await self._open()
        except TimeoutError as error:
            raise overloaded(self._target) from error
        except OSError as error:
            raise unreachable(error, self._target) from error
        writer.write(request(self._target))
        return reader, writer

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, UnixTarget):
            return await asyncio.open_unix_connection(self._target.path, limit=_PIECE)
        url = urlsplit(self._target.url)
        secure = url.scheme == "https"
        port = url.port or (443 if secure else 80)
        return await asyncio.open_connection(url.hostname, port, ssl=secure or None, limit=_PIECE)

    async def _read(self, reader: asyncio.StreamReader) -> AsyncIterator[FleetUpdate]:
        refusal: list[bytes] | None = None
        status, lines, updates = 0, _Lines(), FleetLines()
        while True:
            match await self._next(reader):
                case h11.Response() as answer:
                    status = answer.status_code
                    refusal = None if _is_stream(answer) else []
                case h11.Data(data=data) if refusal is not None:
                    refusal.append(bytes(data))
                case h11.Data(data=data):
                    for line in lines.take(bytes(data)):
                        if (update := updates.line(line)) is not None:
                            yield update
                case h11.EndOfMessage() | h11.ConnectionClosed():
                    raise _end(status, refusal)

    async def _next(self, reader: asyncio.StreamReader) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            try:
                async with asyncio.timeout(self._silence_s):
                    self._http.receive_data(await reader.read(_PIECE))
            except TimeoutError as error:
                raise silent(self._target, self._silence_s) from error
        return event


def _is_stream(answer: h11.Response) -> bool:
    kinds = [value for name, value in answer.headers if name == b"content-type"]
    return answer.status_code == 200 and any(kind.startswith(EVENT_STREAM.encode()) for kind in kinds)


def _end(status: int, refusal: list[bytes] | None) -> ClientError:
    """What the end of an answer means. Raises what a refusal means."""
    if refusal is not None:
        refuse(status, b"".join(refusal))
    return ended()


class _Lines:
    """Bytes to whole lines."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def take(self, data: bytes) -> Iterator[str]:
        """The lines that it ends. Bytes that are no UTF-8 are replaced: what reads the line refuses it, or passes it
        over."""
        head, *others = data.split(b"\n")
        self._rest.append(head)
        for other in others:
            yield b"".join(self._rest).decode(errors="replace").removesuffix("\r")
            self._rest = [other]
