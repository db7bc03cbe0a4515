"""Notices over HTTP, against a real server on the loopback."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from wsmgr.adapters.webhook import WebhookNotifier
from wsmgr.core.alert import Alert, Notice, Severity, Stage
from wsmgr.core.ids import WorkspaceId
from wsmgr.ports.notifier import NotDelivered

SECRET = "sixteen letters!"  # noqa: S105  # of this test
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ALERT = Alert(
    id=7,
    cause="workspace.error:user:alice",
    severity=Severity.CRITICAL,
    sentence="It gave up.",
    workspace=WorkspaceId("user:alice"),
    raised_at=AT,
)
NOTICE = Notice(ALERT, Stage.RAISED)


@dataclass
class Receiver:
    """Takes requests, and answers each with the next of `answers`; None: never."""

    port: int = 0
    answers: list[bytes | None] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.append(task)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        length = int(self.header("content-length"))
        self.bodies.append(await reader.readexactly(length))
        answer = self.answers.pop(0)
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
            await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    def header(self, name: str) -> str:
        """Of the last request."""
        lines = dict(line.lower().split(": ", 1) for line in self.heads[-1].splitlines()[1:] if line)
        return lines[name]


def status(line: str, more: str = "") -> bytes:
    """An answer without a body."""
    return f"HTTP/1.1 {line}\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()


@asynccontextmanager
async def receiving(*answers: bytes | None) -> AsyncIterator[Receiver]:
    """A receiver on the loopback."""
    receiver = Receiver(answers=list(answers))
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
        await asyncio.gather(*receiver.tasks)


@asynccontextmanager
async def notifier(port: int, *, timeout_s: float = 5.0) -> AsyncIterator[WebhookNotifier]:
    """One that tells the receiver at that port."""
    one = WebhookNotifier(f"http://127.0.0.1:{port}/hooks/geheim?x=1", SECRET, timeout_s=timeout_s)
    yield one
    await one.close()


async def test_a_notice_is_signed_json() -> None:
    """The receiver can check who sent it and when, and knows it again."""
    async with receiving(status("204 No Content")) as receiver, notifier(receiver.port) as hook:
        await hook.deliver(NOTICE)
    (body,) = receiver.bodies
    document = json.loads(body)
    assert document["type"] == "alert.raised"
    assert document["alert"] == {
        "id": 7,
        "cause": "workspace.error:user:alice",
        "severity": "critical",
        "sentence": "It gave up.",
        "workspace": "user:alice",
        "raisedAt": "2026-11-23T12:00:00+00:00",
        "resolvedAt": None,
    }
    assert receiver.heads[0].startswith("POST /hooks/geheim?x=1 ")
    timestamp = receiver.header("x-wsmgr-timestamp")
    expected = hmac.new(SECRET.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert receiver.header("x-wsmgr-signature") == f"sha256={expected}"
    assert abs(int(timestamp) - time.time()) < 60
    assert receiver.header("x-wsmgr-delivery") == NOTICE.id
    assert Notice(ALERT, Stage.RESOLVED).id != NOTICE.id


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (status("500 Oops"), "answered 500"),
        (status("302 Found", "Location: http://127.0.0.1:9/\r\n"), "answered 302"),
        (b"nonsense\r\n\r\n", "not reached: RemoteProtocolError"),
        (b"", "not reached: RemoteProtocolError"),
    ],
)
async def test_another_answer_is_no_delivery(answer: bytes, sentence: str) -> None:
    """Nor is one followed; the sentence names neither secret nor path. The next try works."""
    async with receiving(answer, status("200 OK")) as receiver, notifier(receiver.port) as hook:
        with pytest.raises(NotDelivered, match=sentence) as failed:
            await hook.deliver(NOTICE)
        await hook.deliver(NOTICE)
    assert "geheim" not in str(failed.value)
    assert SECRET not in str(failed.value)
    assert len(receiver.bodies) == 2


async def test_a_receiver_that_hangs_is_left() -> None:
    """Within the time that was set."""
    async with receiving(None) as receiver, notifier(receiver.port, timeout_s=0.2) as hook:
        started = time.monotonic()
        with pytest.raises(NotDelivered, match=r"within 0\.2 s"):
            await hook.deliver(NOTICE)
    assert time.monotonic() - started < 3


async def test_a_body_without_end_is_not_read() -> None:
    """The status is all that counts."""
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\nx"
    async with receiving(endless) as receiver, notifier(receiver.port) as hook:
        await hook.deliver(NOTICE)


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would hear of every owner."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with receiving(status("200 OK")) as receiver, notifier(receiver.port) as hook:
        await hook.deliver(NOTICE)
    assert len(receiver.bodies) == 1
