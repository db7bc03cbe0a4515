"""Listeners to events that do not read: cut off after 4 seconds, whatever the daemon has to say meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime

import pytest
from starlette.types import Message

from wsmgr.api.stream import SEND_S, EventStream
from wsmgr.control.feed import Feed, Signal, Subscription
from wsmgr.core.event import Event

VIRTUAL_TIME = True

SCOPE = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "method": "GET", "headers": []}
EVENT = Event(datetime(2026, 1, 1, tzinfo=UTC), "uid:7", "workspace.stop", "Asked for.", None, id=1)


class Listener:
    """One client of an event stream: it takes each message after `pause_s` seconds, and after `patience` none."""

    def __init__(self, feed: Feed, *, patience: int, pause_s: float = 0.0) -> None:
        self.feed = feed
        self.taken: list[Message] = []
        self._live = feed.subscribe()
        self._patience = patience
        self._pause_s = pause_s
        self._gone = asyncio.Event()

    async def listen(self) -> None:
        """Until the stream ends."""
        await EventStream(_written(self._live), self._live.close)(SCOPE, self._receive, self._send)

    async def _send(self, message: Message) -> None:
        if len(self.taken) >= self._patience:
            await asyncio.Event().wait()
        await asyncio.sleep(self._pause_s)
        self.taken.append(message)

    async def _receive(self) -> Message:
        await self._gone.wait()
        return {"type": "http.disconnect"}


async def _written(live: Subscription) -> AsyncGenerator[bytes, None]:
    yield b"retry: 1000\n\n"
    while (heard := await live.next(15.0)) is not Signal.CLOSED:
        yield f"id: {heard.id}\n\n".encode() if isinstance(heard, Event) else b": still here\n\n"


@pytest.fixture
async def feed() -> AsyncIterator[Feed]:
    """Where events are told."""
    feed = Feed()
    yield feed
    feed.close()


@pytest.mark.parametrize("patience", [0, 1, 2, 5])
async def test_one_that_does_not_read_is_cut_off_in_time(feed: Feed, patience: int) -> None:
    """4 seconds after the first message that it did not take; nobody else waits for it, and it is forgotten."""
    listener, other = Listener(feed, patience=patience), Listener(feed, patience=1000)
    others = asyncio.create_task(other.listen())
    begun = asyncio.get_running_loop().time()
    listening = asyncio.create_task(listener.listen())
    for _ in range(10):
        feed.publish(EVENT)
        await asyncio.sleep(0.01)
    assert len(other.taken) == 12
    await listening
    took = asyncio.get_running_loop().time() - begun
    assert SEND_S <= took < SEND_S + 0.2
    assert len(listener.taken) == patience
    assert feed.listening == 1
    feed.close()
    await others


async def test_one_that_reads_slowly_but_reads_is_kept(feed: Feed) -> None:
    """3 seconds for each message are no reason."""
    listener = Listener(feed, patience=1000, pause_s=3.0)
    listening = asyncio.create_task(listener.listen())
    for _ in range(5):
        feed.publish(EVENT)
    await asyncio.sleep(60)
    assert not listening.done()
    assert sum(message.get("body", b"").startswith(b"id: ") for message in listener.taken) == 5
    feed.close()
    await listening
    assert listener.taken[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
