"""The thread hop against services that misbehave, on a real unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from wsmgr.adapters.podman.calls import PodmanCalls
from wsmgr.adapters.podman.liveness import Liveness, liveness
from wsmgr.core.errors import EngineUnavailable

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _service(serve: Serve) -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.sock"
        over = asyncio.Event()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await reader.readuntil(b"\r\n\r\n")
                serving = asyncio.ensure_future(serve(reader, writer))
                await asyncio.wait([serving, asyncio.ensure_future(over.wait())], return_when="FIRST_COMPLETED")
                serving.cancel()
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_unix_server(connected, str(path))
        try:
            yield path
        finally:
            over.set()
            server.close()
            await server.wait_closed()


@asynccontextmanager
async def _calls(path: Path, threads: int = 2, timeout_s: float = 30.0) -> AsyncIterator[PodmanCalls]:
    calls = PodmanCalls(path, threads=threads, timeout_s=timeout_s)
    try:
        yield calls
    finally:
        calls.close()


def _answer(body: bytes, status: str = "200 OK") -> Serve:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status.encode(), len(body)) + body)
        await writer.drain()

    return serve


async def _silence(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _trickle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()
        await asyncio.sleep(0.2)


async def _garbage(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n")
    await writer.drain()


async def _hangs_up(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    return


async def test_an_answer_comes_through() -> None:
    """The control: a well-behaved service's status and body."""
    async with _service(_answer(b'{"a": 1}', "201 Created")) as path, _calls(path) as calls:
        answer = await calls.post("/containers/create", body={"name": "x"})
        assert (answer.status, answer.ok, answer.json()) == (201, True, {"a": 1})
        assert await liveness(path, 30.0) is Liveness.SILENT


async def test_liveness_of_a_working_service() -> None:
    """A list is what it takes to be live."""
    async with _service(_answer(b"[]")) as path:
        assert await liveness(path, 30.0) is Liveness.LIVE


@pytest.mark.parametrize("serve", [_silence, _trickle, _garbage, _hangs_up], ids=lambda serve: serve.__name__)
async def test_whatever_it_does_it_is_unavailable_in_time(serve: Serve) -> None:
    """Silence, a trickle, another protocol, a hang-up: one error, within the bound."""
    async with _service(serve) as path, _calls(path, timeout_s=0.5) as calls:
        begin = time.monotonic()
        with pytest.raises(EngineUnavailable):
            await calls.get("/containers/json")
        assert time.monotonic() - begin < 2.0


@pytest.mark.parametrize("serve", [_silence, _garbage, _hangs_up], ids=lambda serve: serve.__name__)
async def test_what_does_no_work_is_not_live(serve: Serve) -> None:
    """Only a list makes a service live."""
    async with _service(serve) as path:
        assert await liveness(path, 0.3) is not Liveness.LIVE


async def test_a_text_that_is_not_json_is_unavailable() -> None:
    """Something else than podman answers."""
    async with _service(_answer(b"<html>")) as path, _calls(path) as calls:
        answer = await calls.get("/containers/json")
        with pytest.raises(EngineUnavailable, match="JSON"):
            answer.json()


@pytest.mark.slow
async def test_more_calls_than_threads_all_end_in_time() -> None:
    """Calls that wait for a thread are bounded like those that have one."""
    async with _service(_silence) as path, _calls(path, threads=1, timeout_s=0.5) as calls:
        begin = time.monotonic()
        outcomes = await asyncio.gather(*(calls.get("/x") for _ in range(5)), return_exceptions=True)
        assert time.monotonic() - begin < 2.0
        assert {type(outcome) for outcome in outcomes} == {EngineUnavailable}


async def test_a_refused_connection_is_named(tmp_path: Path) -> None:
    """No socket, or a socket that nobody serves: the sentence says that nobody listens."""
    async with _calls(tmp_path / "none.sock") as calls:
        with pytest.raises(EngineUnavailable, match="No podman service listens"):
            await calls.get("/x")
    assert await liveness(tmp_path / "none.sock", 0.5) is Liveness.GONE


async def test_a_service_that_comes_back_is_used_again() -> None:
    """A failure leaves nothing behind that spoils the next call."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.sock"
        async with _calls(path, threads=1) as calls:
            with pytest.raises(EngineUnavailable):
                await calls.get("/x")
            async with _service(_answer(b"[]")) as other:
                path.symlink_to(other)
                assert (await calls.get("/x")).json() == []


async def _ends_on_second_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
    await writer.drain()
    await reader.readuntil(b"\r\n\r\n")


async def test_a_connection_that_was_idle_for_long_is_not_used_again() -> None:
    """The service may be about to end it, and the request that it takes down with it would look like its end."""
    async with _service(_ends_on_second_request) as path:
        kept, old = (PodmanCalls(path, threads=1, timeout_s=5, reuse_s=reuse_s) for reuse_s in (60.0, 0.0))
        with contextlib.closing(kept), contextlib.closing(old):
            assert (await kept.get("/x")).json() == []
            with pytest.raises(EngineUnavailable):
                await kept.get("/x")
            for _ in range(3):
                assert (await old.get("/x")).json() == []


async def test_a_call_after_close_is_unavailable() -> None:
    """Whoever still holds the calls of a closed engine is told so, and not by an error of the thread pool."""
    async with _service(_answer(b"[]")) as path:
        calls = PodmanCalls(path, threads=1, timeout_s=0.5)
        calls.close()
        with pytest.raises(EngineUnavailable):
            await calls.get("/x")
