"""A daemon that hangs says nothing, and its connection does not end: after 45 seconds the client looks for another."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.client.canned import event
from wsmgr.client import AsyncClient, ClientError
from wsmgr.client.errors import AnswerTimeout, DaemonUnreachable
from wsmgr.client.stream import FIRST_RETRY_S, LONGEST_RETRY_S, SILENCE_S, Stream

VIRTUAL_TIME = True
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\nretry: 1000\n\n"


class HangingDaemon:
    """Tells one event on each connection, then `beats` heartbeats 15 seconds apart, and then nothing."""

    def __init__(self, *, beats: int = 0) -> None:
        self.known: list[str | None] = []
        self._beats = beats
        self._over = asyncio.Event()
        self._serving: set[asyncio.Task[None]] = set()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection."""
        self._serving.add(asyncio.get_running_loop().create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        told = [line.partition(": ")[2] for line in head.splitlines() if line.startswith("last-event-id")]
        self.known.append(told[0] if told else None)
        number = len(self.known)
        writer.write(HEAD + f"id: {number}\ndata: {event(number).model_dump_json()}\n\n".encode())
        for _ in range(self._beats):
            await asyncio.sleep(15)
            writer.write(b": still here\n\n")
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


@pytest.mark.parametrize("beats", [0, 4])
async def test_silence_ends_a_connection_and_heartbeats_keep_it(place: Path, beats: int) -> None:
    """Each event is heard once, from where the last connection was left."""
    daemon, times = HangingDaemon(beats=beats), []
    server = await asyncio.start_unix_server(daemon.serve, str(place))
    async with AsyncClient(place) as client:
        async for heard in client.follow(after=0):
            times.append(asyncio.get_running_loop().time())
            if heard.id == 3:
                break
    assert daemon.known == ["0", "1", "2"]
    for before, after in itertools.pairwise(times):
        assert SILENCE_S <= after - before - 15 * beats < SILENCE_S + 2 * FIRST_RETRY_S
    await daemon.end()
    server.close()
    await server.wait_closed()


def test_both_clients_wait_so_long_and_no_longer() -> None:
    """For a byte; a heartbeat comes three times as often."""
    assert Stream(None).request()["timeout"].read == SILENCE_S == 45.0


def test_what_is_lost_is_looked_for_ever_less_often() -> None:
    """Once it was connected; before that the first failure is told."""

    class Connected(Stream):
        def __init__(self) -> None:
            super().__init__(None)
            self._was_connected = True

    silent: ClientError = AnswerTimeout("45 s of silence.")
    with pytest.raises(AnswerTimeout):
        Stream(None).pause_after(silent)
    stream = Connected()
    pauses = [stream.pause_after(DaemonUnreachable("Nobody is there.")) for _ in range(8)]
    assert pauses[0] == FIRST_RETRY_S
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_RETRY_S
