"""Events while they happen: none twice, none missing, and no listener that slows the daemon."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from tests.fakes.daemon import FakeDaemon
from tests.fakes.store import FakeStore
from wsmgr.control.feed import PAGE, Feed, Signal, follow
from wsmgr.core.errors import QuotaExceeded, StoreUnavailable
from wsmgr.core.event import Event
from wsmgr.core.ids import OwnerKey, WorkspaceId
from wsmgr.core.owner import Owner
from wsmgr.core.workspace import Desired

BEAT_S = 15.0


def event(number: int = 0) -> Event:
    """An event, with that id."""
    return Event(datetime(2026, 1, 1, tzinfo=UTC), "uid:0", "stop", f"number {number}", None, number)


async def kept(store: FakeStore, count: int) -> list[Event]:
    """So many more events in the store."""
    return [await store.append(event()) for _ in range(count)]


async def collect(feed: Feed, store: FakeStore, after: int | None, into: list[Event | Signal]) -> None:
    """Follow to the end."""
    async for one in follow(feed.subscribe(), store, after, BEAT_S):
        into.append(one)  # noqa: PERF401  # what came so far is looked at meanwhile


async def settle() -> None:
    """Let the other tasks do what they can do now."""
    await asyncio.sleep(0.001)


async def test_what_the_store_has_comes_first_and_then_what_happens() -> None:
    """Each event once and in order, also those that come while pages are still being read."""
    feed, store = Feed(length=10_000), FakeStore(is_open=True)
    old = await kept(store, 2 * PAGE + 3)
    seen: list[Event | Signal] = []
    following = asyncio.create_task(collect(feed, store, 1, seen))
    new = []
    for _ in range(100):
        (one,) = await kept(store, 1)
        feed.publish(one)
        new.append(one)
        await asyncio.sleep(0)
    await settle()
    feed.close()
    await following
    assert seen == [*old[1:], *new, Signal.CLOSED]


async def test_without_a_start_only_what_happens_is_told() -> None:
    """The control: the same store, and nothing of it."""
    feed, store = Feed(), FakeStore(is_open=True)
    await kept(store, 5)
    seen: list[Event | Signal] = []
    following = asyncio.create_task(collect(feed, store, None, seen))
    await settle()
    new = await kept(store, 2)
    for one in new:
        feed.publish(one)
    await settle()
    feed.close()
    await following
    assert seen == [*new, Signal.CLOSED]


async def test_an_event_that_was_never_published_is_not_missing() -> None:
    """Its write was confirmed too late: it comes with the next one, or at the latest with the next sign of life."""
    feed, store = Feed(), FakeStore(is_open=True)
    seen: list[Event | Signal] = []
    following = asyncio.create_task(collect(feed, store, 0, seen))
    await settle()
    first, second, third = await kept(store, 3)
    for one in (third, second):
        feed.publish(one)
    await settle()
    assert seen == [first, second, third]
    (fourth,) = await kept(store, 1)
    await asyncio.sleep(BEAT_S + 1)
    assert seen == [first, second, third, fourth, Signal.SILENCE]
    following.cancel()


async def test_a_gap_that_cannot_be_read_ends_the_stream() -> None:
    """What was told so far has no gap, so the listener comes back for the rest."""
    feed, store = Feed(), FakeStore(is_open=True)
    seen: list[Event | Signal] = []
    following = asyncio.create_task(collect(feed, store, 0, seen))
    await settle()
    events = await kept(store, 3)
    feed.publish(events[0])
    await settle()
    store.fail_next("events_after", StoreUnavailable("asked for"))
    feed.publish(events[2])
    with pytest.raises(StoreUnavailable):
        await following
    assert seen == [events[0]]


async def test_a_sign_of_life_needs_no_store() -> None:
    """Where nothing is known to be missing, a database that is away changes nothing."""
    feed, store = Feed(), FakeStore(is_open=True)
    seen: list[Event | Signal] = []
    following = asyncio.create_task(collect(feed, store, 0, seen))
    await settle()
    store.fail_next("events_after", StoreUnavailable("asked for"))
    await asyncio.sleep(BEAT_S + 1)
    assert seen == [Signal.SILENCE]
    following.cancel()


async def test_a_slow_listener_is_cut_off_and_the_others_go_on() -> None:
    """Its queue is bounded; after `overflow` nothing follows and nothing is kept for it."""
    feed = Feed(length=3)
    slow, quick = feed.subscribe(), feed.subscribe()
    heard = []
    for number in range(1, 6):
        feed.publish(event(number))
        heard.append(await quick.next(1))
    assert heard == [event(number) for number in range(1, 6)]
    assert await slow.next(1) is Signal.OVERFLOW
    assert await slow.next(1) is Signal.OVERFLOW
    assert feed.listening == 1


async def test_listeners_are_bounded_and_leave() -> None:
    """One too many is refused, and taken once another has gone."""
    feed = Feed(listeners=2)
    with feed.subscribe(), feed.subscribe() as second:
        with pytest.raises(QuotaExceeded, match="2 listen"):
            feed.subscribe()
        second.close()
        feed.subscribe().close()
    assert feed.listening == 0


async def test_a_closed_feed_ends_all_after_what_they_have() -> None:
    """Also one that comes later."""
    feed = Feed()
    early = feed.subscribe()
    feed.publish(event(1))
    feed.close()
    assert [await early.next(1), await early.next(1)] == [event(1), Signal.CLOSED]
    assert await feed.subscribe().next(1) is Signal.CLOSED


async def test_what_the_daemon_does_is_published_with_its_change(system: FakeDaemon) -> None:
    """With the id under which the store has it; the last word of a daemon is heard too."""
    live = system.daemon.feed.subscribe()
    owner = OwnerKey("user:alice")
    await system.daemon.owners.put(Owner(owner, plan="PRO"), "uid:0")
    heard = await live.next(1)
    assert heard == system.store.all_events[-1]
    assert isinstance(heard, Event)
    assert (heard.before, heard.after) == (
        {"plan": "FREE", "isolation": None, "fallback": None},
        {"plan": "PRO", "isolation": None, "fallback": None},
    )
    await system.daemon.workspaces.put(WorkspaceId(owner), Desired.RUNNING, "uid:7", 10)
    made = await live.next(1)
    assert isinstance(made, Event)
    assert (made.action, made.actor) == ("workspace.created", "uid:7")
    wanted, ready = await live.next(1), await live.next(1)
    assert isinstance(wanted, Event)
    assert isinstance(ready, Event)
    assert (wanted.before, wanted.after) == ({"desired": "STOPPED"}, {"desired": "RUNNING"})
    assert (ready.action, ready.before) == ("workspace.ready", None)
    await system.stop()
    ends = [await live.next(1), await live.next(1)]
    assert isinstance(ends[0], Event)
    assert ends[0].action == "daemon.stopped"
    assert ends[1] is Signal.CLOSED
