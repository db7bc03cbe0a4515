"""Events while they happen, for any number of listeners, none of which can slow the daemon."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from enum import Enum
from types import TracebackType
from typing import Self

from wsmgr.core.errors import QuotaExceeded, StoreUnavailable
from wsmgr.core.event import Event
from wsmgr.ports.store import EventStore

PAGE = 500
"""So many events are read from the store at once."""


class Signal(Enum):
    """What a subscription says besides events.

    SILENCE: nothing came for as long as was waited. OVERFLOW: the listener was too slow and is cut off. CLOSED: the
    daemon ends.
    """

    SILENCE = "silence"
    OVERFLOW = "overflow"
    CLOSED = "closed"


class Subscription:
    """One listener's queue. Ends with `close`, or with the `with` block."""

    def __init__(self, feed: Feed, length: int) -> None:
        self._feed = feed
        self._length = length
        self._queue: deque[Event] = deque()
        self._end: Signal | None = None
        self._wake = asyncio.Event()

    def offer(self, event: Event) -> None:
        """For the feed: queue it, or cut the listener off when `length` wait already."""
        if len(self._queue) >= self._length:
            self._queue.clear()
            self.end(Signal.OVERFLOW)
            return
        self._queue.append(event)
        self._wake.set()

    def end(self, signal: Signal) -> None:
        """For the feed: nothing follows what is queued."""
        self._end = signal
        self._feed.leave(self)
        self._wake.set()

    async def next(self, timeout_s: float) -> Event | Signal:
        """The next event, or why there is none. After OVERFLOW and CLOSED nothing follows."""
        if not self._queue and self._end is None:
            self._wake.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._wake.wait()
            except TimeoutError:
                return Signal.SILENCE
        return self._queue.popleft() if self._queue else self._end or Signal.SILENCE

    def close(self) -> None:
        """Hear nothing more. Idempotent."""
        self._feed.leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Feed:
    """Hands each published event to every subscription. `length` events may wait for a listener; at most `listeners`
    may listen."""

    def __init__(self, *, length: int = 1024, listeners: int = 64) -> None:
        self._length = length
        self._listeners = listeners
        # In order of arrival; a set would hand events out in the order of addresses in memory.
        self._subscriptions: dict[Subscription, None] = {}
        self._closed = False

    def subscribe(self, *, own: bool = False) -> Subscription:
        """Hear all that is published from now on. Raises QuotaExceeded when too many listen; the daemon's `own` parts
        are never refused."""
        if not own and len(self._subscriptions) >= self._listeners:
            raise QuotaExceeded(
                f"{self._listeners} listen to the events already; end one of them.", details={"limit": "listeners"}
            )
        subscription = Subscription(self, self._length)
        if self._closed:
            subscription.end(Signal.CLOSED)
        else:
            self._subscriptions[subscription] = None
        return subscription

    def publish(self, event: Event) -> None:
        """Tell everybody; never waits."""
        for subscription in list(self._subscriptions):
            subscription.offer(event)

    def leave(self, subscription: Subscription) -> None:
        """Forget a listener."""
        self._subscriptions.pop(subscription, None)

    def close(self) -> None:
        """End all subscriptions, also those to come; the daemon ends. Idempotent."""
        self._closed = True
        for subscription in list(self._subscriptions):
            subscription.end(Signal.CLOSED)

    @property
    def closed(self) -> bool:
        """Whether the daemon ends."""
        return self._closed

    @property
    def listening(self) -> int:
        """How many listen now."""
        return len(self._subscriptions)


async def follow(
    live: Subscription, store: EventStore, after: int | None, beat_s: float
) -> AsyncGenerator[Event | Signal, None]:
    """What the store has after the event `after` (None: nothing), then what happens, each event once and in order.

    SILENCE comes after each `beat_s` seconds without an event; OVERFLOW and CLOSED are the last word. Raises
    StoreUnavailable when events are missing and cannot be read: what was given so far has no gap.
    """
    last = after
    if last is not None:
        async for event in _since(store, last):
            last = event.id
            yield event
    while True:
        heard = await live.next(beat_s)
        if isinstance(heard, Event) and (last is None or heard.id == last + 1):
            last = heard.id
            yield heard
        elif isinstance(heard, Event):
            # Told already, or after a gap: an event whose confirmation came too late was never published.
            if last is None or heard.id <= last:
                continue
            async for event in _since(store, last):
                last = event.id
                yield event
        elif heard is Signal.SILENCE:
            async for event in _since_if_possible(store, last):
                last = event.id
                yield event
            yield heard
        else:
            yield heard
            return


async def _since(store: EventStore, last: int) -> AsyncIterator[Event]:
    while True:
        page = await store.events_after(last, PAGE)
        for event in page:
            last = event.id
            yield event
        if len(page) < PAGE:
            return


async def _since_if_possible(store: EventStore, last: int | None) -> AsyncIterator[Event]:
    """The same, for a moment in which nothing is known to be missing."""
    if last is None:
        return
    try:
        async for event in _since(store, last):
            yield event
    except StoreUnavailable:
        return
