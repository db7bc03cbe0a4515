"""The live view on a connection of its own: however its bytes are cut, and every way in which it can end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.client.canned import fleet_changes, fleet_snapshot
from wsmgr.client.asking import ask
from wsmgr.client.errors import (
    AnswerTimeout,
    ApiError,
    ClientError,
    ConnectionLost,
    DaemonUnreachable,
    UnexpectedAnswer,
)
from wsmgr.client.live import LiveView
from wsmgr.client.target import UnixTarget, UrlTarget
from wsmgr.wire.fleet import FleetPulse, FleetUpdate
from wsmgr.wire.problem import Problem

VIRTUAL_TIME = True
BODY = (
    f"retry: 1000\n\nevent: snapshot\ndata: {fleet_snapshot().model_dump_json()}\n\n: \n"
    f"event: changes\ndata: {fleet_changes().model_dump_json()}\n\n: \n"
).encode()
KNOWN = [fleet_snapshot(), FleetPulse(), fleet_changes(), FleetPulse()]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"


class Scripted:
    """A server that answers each request with the pieces of a script, and ends the connection unless it `stays`."""

    def __init__(self, pieces: list[bytes], *, stays: bool = False) -> None:
        self.asked: list[bytes] = []
        self._pieces = pieces
        self._stays = stays
        self._over = asyncio.Event()
        self._serving: set[asyncio.Task[None]] = set()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection."""
        self._serving.add(asyncio.get_running_loop().create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        for piece in self._pieces:
            with contextlib.suppress(ConnectionError):
                writer.write(piece)
                await writer.drain()
            await asyncio.sleep(0.01)
        if self._stays:
            await self._over.wait()
        writer.close()

    async def end(self) -> None:
        """Let go of its connections."""
        self._over.set()
        await asyncio.gather(*self._serving)
        # A transport is closed in the step after.
        await asyncio.sleep(0)


@pytest.fixture
async def place() -> AsyncIterator[Path]:
    """A short path for a socket."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "s"


async def heard(view: LiveView) -> tuple[list[FleetUpdate], ClientError]:
    """All that comes, and how it ends."""
    found: list[FleetUpdate] = []
    try:
        async for update in view.updates():
            found.append(update)  # noqa: PERF401  # what came before the error counts
    except ClientError as end:
        return found, end
    raise AssertionError("It ended without an error.")


async def looked(place: Path, server: Scripted) -> tuple[list[FleetUpdate], ClientError]:
    """What one look at that server gives."""
    listener = await asyncio.start_unix_server(server.serve, str(place))
    try:
        return await heard(LiveView(UnixTarget(place)))
    finally:
        await server.end()
        listener.close()


def _chunks(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
async def test_updates_are_the_same_however_the_bytes_are_cut(place: Path, size: int) -> None:
    """In chunks that end in the middle of a line, of a character, or nowhere."""
    answer = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + _chunks(BODY, size)
    cut = [answer[at : at + 4096] for at in range(0, len(answer), 4096)]
    found, end = await looked(place, Scripted(cut))
    assert found == KNOWN
    assert isinstance(end, ConnectionLost)
    assert "ended the stream" in end.sentence


async def test_a_body_may_end_with_its_connection(place: Path) -> None:
    """And its lines with a carriage return."""
    found, end = await looked(place, Scripted([HEAD + b"\r\n" + BODY.replace(b"\n", b"\r\n")]))
    assert found == KNOWN
    assert isinstance(end, ConnectionLost)


async def test_silence_ends_it(place: Path) -> None:
    """After what came before."""
    found, end = await looked(place, Scripted([HEAD + b"\r\n" + BODY], stays=True))
    assert found == KNOWN
    assert isinstance(end, AnswerTimeout)
    assert "has said nothing for 2.5 s" in end.sentence


PROBLEM = Problem(title="no", status=403, code="forbidden", detail="For administrators.").model_dump_json().encode()


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        (b"HTTP/1.1 403 No\r\nContent-Length: %d\r\n\r\n%s" % (len(PROBLEM), PROBLEM), ApiError, "For administrators."),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", UnexpectedAnswer, "no stream"),
        (HEAD + b"\r\nevent: snapshot\ndata: {}\n\n", UnexpectedAnswer, "of another version"),
        (HEAD + b"\r\nevent: snapshot\ndata: \xff\n\n", UnexpectedAnswer, "of another version"),
        (HEAD + b"Content-Length: 99\r\n\r\n: \n", ConnectionLost, "ended before GET /api/fleet/stream was answered"),
        (b"SSH-2.0-other\r\n\r\n", ConnectionLost, "ended before GET"),
        (b"", ConnectionLost, "ended before GET"),
    ],
)
async def test_each_other_end_has_its_own_error(
    place: Path, answer: bytes, error: type[ClientError], sentence: str
) -> None:
    """With its sentence."""
    _, end = await looked(place, Scripted([answer] if answer else []))
    assert type(end) is error
    assert sentence in end.sentence


async def test_nobody_there_is_told_with_its_cause(place: Path) -> None:
    """No socket, a socket of a daemon that is gone, a port that nobody has."""
    _, end = await heard(LiveView(UnixTarget(place)))
    assert isinstance(end, DaemonUnreachable)
    assert "does not exist" in end.sentence
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(place))
    _, end = await heard(LiveView(UnixTarget(place)))
    assert "ended without removing its socket" in end.sentence
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        _, end = await heard(LiveView(UrlTarget(f"http://127.0.0.1:{port.getsockname()[1]}")))
    assert isinstance(end, DaemonUnreachable)
    assert "Nothing answers at http://127.0.0.1" in end.sentence


async def test_a_token_goes_along_to_a_url() -> None:
    """Over loopback TCP."""
    server = Scripted([HEAD + b"\r\n" + BODY])
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    found, _ = await heard(LiveView(UrlTarget(f"http://127.0.0.1:{port}", "secret")))
    assert found == KNOWN
    assert b"Authorization: Bearer secret\r\n" in server.asked[0]
    await server.end()
    listener.close()


async def test_what_was_asked_before_is_not_asked_again(place: Path) -> None:
    """The view goes on with the connection."""
    server = Scripted([HEAD + b"\r\n" + BODY])
    listener = await asyncio.start_unix_server(server.serve, str(place))
    target = UnixTarget(place)
    found, _ = await heard(LiveView(target, asked=ask(target)))
    assert found == KNOWN
    assert len(server.asked) == 1
    await server.end()
    listener.close()


async def test_who_stops_reading_ends_the_connection(place: Path) -> None:
    """At once, and not when somebody collects garbage."""
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"\r\n" + BODY)
        assert await reader.read() == b""
        writer.close()
        await asyncio.sleep(0)
        gone.set()

    listener = await asyncio.start_unix_server(serve, str(place))
    updates = LiveView(UnixTarget(place)).updates()
    assert await anext(updates) == KNOWN[0]
    await updates.aclose()  # type: ignore[attr-defined]  # it is a generator
    await gone.wait()
    listener.close()
