"""Heads of requests that are no such thing, come slowly, or have no end."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from tests.api.test_cut_off import running
from wsmgr.api.protocol import PeerProtocol


@pytest.fixture
async def path(app: ASGIApp, tmp_path: Path) -> AsyncIterator[Path]:
    """The socket of a real server."""
    place = tmp_path / "heads" / "api.sock"
    async with running(app, place):
        yield place


def _answer_to(path: Path, sent: bytes) -> bytes:
    # Not by asyncio, whose reader forgets what came when a write fails.
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(path))
        with suppress(ConnectionError):  # it was told enough
            connection.sendall(sent)
        parts = []
        with suppress(ConnectionError):
            while part := connection.recv(65_536):
                parts.append(part)
    return b"".join(parts)


async def answer_to(path: Path, sent: bytes) -> tuple[int, dict[str, object]]:
    """The status and the problem that a client gets before the connection ends."""
    head, _, body = (await asyncio.to_thread(_answer_to, path, sent)).partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize(
    "sent",
    [b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 2_000_000, b"GET /" + b"a" * 300_000],
    ids=["header", "path"],
)
async def test_a_head_without_end(path: Path, sent: bytes) -> None:
    """It is refused when it is too large, long before it would end."""
    status, told = await answer_to(path, sent)
    assert status in {400, 431}
    assert (told["status"], told["retryable"]) == (status, False)
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(path)), base_url="http://x") as client:
        answer = await client.get("/health", headers={"x-large": "a" * 30_000})
    assert answer.status_code == 200


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"])
async def test_what_is_no_request_gets_a_problem_too(path: Path, sent: bytes) -> None:
    """Its code is stable, as that of every other error."""
    status, told = await answer_to(path, sent)
    assert (status, told["code"]) == (400, "bad_request")


class Hasty(PeerProtocol):
    """Waits hardly at all."""

    head_s = 0.05


async def test_a_head_that_does_not_come(app: ASGIApp, tmp_path: Path) -> None:
    """The connection ends after a while, so that nobody can hold them all; one whose head has come goes on."""
    path = tmp_path / "hasty" / "api.sock"
    async with running(app, path, Hasty):
        status, told = await answer_to(path, b"GET /health HTTP/1.1\r\nHost")
        assert (status, told["code"]) == (408, "request_timeout")
    path = tmp_path / "patient" / "api.sock"
    async with running(app, path):
        reader, writer = await asyncio.open_unix_connection(str(path))
        for part in (b"GET /health HT", b"TP/1.1\r\nHost: x\r\n", b"\r\n"):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        writer.close()
