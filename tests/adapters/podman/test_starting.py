"""Starting over a helper that died, against a scripted service on a real unix socket."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from wsmgr.adapters.podman.calls import PodmanCalls
from wsmgr.adapters.podman.starting import start_container


@asynccontextmanager
async def _podman(starts: list[int], states: list[str]) -> AsyncIterator[tuple[PodmanCalls, list[str]]]:
    """A service that answers starts with these status codes and inspections with these states, in turn."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                asked.append(head.decode().split(" ")[0])
                status = starts.pop(0) if asked[-1] == "POST" else 200
                data = b"{}" if asked[-1] == "POST" else json.dumps({"State": {"Status": states.pop(0)}}).encode()
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(data)) + data)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.sock"
        server = await asyncio.start_unix_server(serve, str(path))
        calls = PodmanCalls(path, threads=1, timeout_s=2.0)
        try:
            yield calls, asked
        finally:
            calls.close()
            server.close()
            await server.wait_closed()


@pytest.mark.parametrize(
    ("starts", "states", "status", "asked"),
    [
        ([201], [], 201, ["POST"]),
        ([404], [], 404, ["POST"]),
        ([500, 201], ["initialized", "initialized", "created"], 201, ["POST", "GET", "GET", "GET", "POST"]),
        ([500, 500, 201], ["created", "exited"], 201, ["POST", "GET", "POST", "GET", "POST"]),
        ([500, 500, 500], ["created", "created"], 500, ["POST", "GET", "POST", "GET", "POST"]),
    ],
)
async def test_a_start_is_tried_anew_once_the_remains_are_gone(
    starts: list[int], states: list[str], status: int, asked: list[str]
) -> None:
    """Success and absence are final at once; a failure is tried anew twice, each time after podman has cleaned up."""
    async with _podman(starts, states) as (calls, seen):
        assert (await start_container(calls, "c1", 2.0)).status == status
        assert seen == asked
