"""Requests that are under way when a daemon must end at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from tests.fakes.daemon import FakeDaemon
from wsmgr.api.protocol import PeerProtocol
from wsmgr.api.server import Server, bind_unix, serve_until, server


@asynccontextmanager
async def running(app: ASGIApp, path: Path, protocol: type[PeerProtocol] = PeerProtocol) -> AsyncIterator[Server]:
    """A real server on a unix socket."""
    listener, stopped = bind_unix(path), asyncio.Event()
    http = server(app)
    http.config.http = protocol
    serving = asyncio.create_task(serve_until(http, [listener], stopped))
    try:
        yield http
    finally:
        stopped.set()
        await serving
        listener.close()


async def answer_to(path: Path, method: str, target: str, body: bytes) -> bytes:
    """All that a client gets, to the end of its connection."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    head = f"{method} {target} HTTP/1.1\r\nHost: wsmgr\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


CALL = ("POST", "/api/execute", json.dumps({"userId": "alice", "plugin": "echo", "input": 1}).encode())
VERB = ("POST", "/api/workspaces/user:bob/stop?wait=60", b"")


@pytest.mark.parametrize("request_", [CALL, VERB], ids=["call", "verb"])
async def test_a_request_that_is_cut_off_gets_no_answer(
    app: ASGIApp, system: FakeDaemon, tmp_path: Path, request_: tuple[str, str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    """No error status either: that would say that it did not run."""
    for name in ("alice", "bob"):
        await system.put(f"user:{name}")
        await system.execute(f"user:{name}")
    path = tmp_path / "cut" / "api.sock"
    async with running(app, path) as http:
        with system.channel.held("execute"), system.engine.held("stop"):
            asking = asyncio.create_task(answer_to(path, *request_))
            async with asyncio.timeout(10):
                while not http.server_state.tasks or asking.done():  # noqa: ASYNC110  # the server tells nobody
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.1)  # so that it is in the middle of it; earlier is as good
            for task in http.server_state.tasks:
                task.cancel()
            async with asyncio.timeout(5):
                assert await asking == b""
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


async def test_a_request_that_is_not_cut_off_is_answered(app: ASGIApp, tmp_path: Path) -> None:
    """The same way of asking."""
    path = tmp_path / "well" / "api.sock"
    async with running(app, path):
        reader, writer = await asyncio.open_unix_connection(str(path))
        method, target, body = CALL
        head = f"{method} {target} HTTP/1.1\r\nHost: wsmgr\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()
