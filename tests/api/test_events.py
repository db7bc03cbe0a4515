"""The audit trail over HTTP, in pages and as a stream from a real server."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from tests.fakes.daemon import FakeDaemon
from wsmgr.api.server import bind_unix, serve_until, server
from wsmgr.control.feed import Feed
from wsmgr.wire.event import Event, EventPage

Said = Callable[[str], Awaitable[None]]


@asynccontextmanager
async def served(app: ASGIApp, path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a real server on a unix socket, which ends with the block."""
    listener, stopped = bind_unix(path), asyncio.Event()
    serving = asyncio.create_task(serve_until(server(app), [listener], stopped))
    transport = httpx.AsyncHTTPTransport(uds=str(path))
    async with httpx.AsyncClient(transport=transport, base_url="http://wsmgr", timeout=10) as client:
        yield client
        stopped.set()
        await serving
    listener.close()


@pytest.fixture
async def http(app: ASGIApp, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The daemon's own user on a real socket."""
    async with served(app, tmp_path / "real" / "api.sock") as client:
        yield client


@pytest.fixture
def say(system: FakeDaemon) -> Said:
    """Something happens."""

    async def said(reason: str) -> None:
        await system.daemon.lifecycle._audit.say("uid:7", "workspace.stop", reason)

    return said


async def messages(lines: AsyncIterator[str], count: int) -> list[dict[str, str]]:
    """The next so many messages that have data."""
    found: list[dict[str, str]] = []
    message: dict[str, str] = {}
    async for line in lines:
        if line:
            name, _, value = line.partition(": ")
            message[name] = value
        else:
            found += [message] if "data" in message else []
            message = {}
            if len(found) == count:
                break
    return found


async def test_events_are_heard_when_they_happen(http: httpx.AsyncClient, say: Said, system: FakeDaemon) -> None:
    """With id, name and the wire's own JSON; nothing of what was before."""
    async with http.stream("GET", "/api/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        await say("first")
        await say("line\nbreak")
        seen = await messages(answer.aiter_lines(), 2)
    kept = system.store.all_events[-2:]
    assert [(one["id"], one["event"]) for one in seen] == [(str(one.id), "workspace.stop") for one in kept]
    assert [Event.model_validate_json(one["data"]).reason for one in seen] == ["first", "line\nbreak"]


@pytest.mark.parametrize("how", ["header", "query"])
async def test_a_stream_goes_on_where_it_was_left(http: httpx.AsyncClient, say: Said, how: str) -> None:
    """First what was missed, then what happens; each once."""
    for number in range(4):
        await say(f"{number}")
    page = EventPage.model_validate_json((await http.get("/api/audit?limit=3")).content)
    last = str(page.items[-1].id)
    given = {"headers": {"Last-Event-ID": last}} if how == "header" else {"params": {"after": last}}
    async with http.stream("GET", "/api/events", **given) as answer:  # type: ignore[arg-type]  # one of two keywords
        lines = answer.aiter_lines()
        missed = await messages(lines, 2)
        await say("live")
        live = await messages(lines, 1)
    assert [json.loads(one["data"])["reason"] for one in [*missed, *live]] == ["2", "3", "live"]


async def test_the_header_counts_more_than_the_query(http: httpx.AsyncClient, say: Said, system: FakeDaemon) -> None:
    """A browser repeats its first URL, and adds what it has heard since."""
    await say("old")
    known = str(system.store.all_events[-1].id)
    async with http.stream("GET", "/api/events?after=0", headers={"Last-Event-ID": known}) as answer:
        await say("new")
        (seen,) = await messages(answer.aiter_lines(), 1)
    assert json.loads(seen["data"])["reason"] == "new"


async def test_a_listener_that_goes_is_forgotten(http: httpx.AsyncClient, system: FakeDaemon) -> None:
    """At once, not at the next event."""
    await http.get("/api/audit")
    before = system.daemon.feed.listening  # the daemon's own parts
    async with http.stream("GET", "/api/events"):
        assert system.daemon.feed.listening == before + 1
    async with asyncio.timeout(5):
        while system.daemon.feed.listening != before:  # noqa: ASYNC110  # the end of a connection sends no event
            await asyncio.sleep(0.01)


async def test_an_overflow_is_told_and_ends_the_stream(http: httpx.AsyncClient, say: Said, system: FakeDaemon) -> None:
    """The client knows that it has missed something, and comes back with its last id."""
    object.__setattr__(system.daemon, "feed", (feed := Feed(length=2)))
    async with http.stream("GET", "/api/events") as answer:
        await say("one")
        for one in [system.store.all_events[-1]] * 3:
            feed.publish(one)
        body = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert body.endswith(b"event: overflow\ndata: {}\n\n")
    assert feed.listening == 0


async def test_too_many_listeners_are_refused(http: httpx.AsyncClient, system: FakeDaemon) -> None:
    """With a problem document, before anything is sent."""
    object.__setattr__(system.daemon, "feed", Feed(listeners=1))
    async with http.stream("GET", "/api/events"):
        refused = await http.get("/api/events")
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")


async def test_the_end_of_the_daemon_ends_its_streams(app: ASGIApp, system: FakeDaemon, tmp_path: Path) -> None:
    """After its last event, so that the server need not wait for them."""
    async with served(app, tmp_path / "ending" / "api.sock") as client:
        async with client.stream("GET", "/api/events") as answer:
            await system.stop()
            body = b"".join([chunk async for chunk in answer.aiter_raw()])
        assert b"event: daemon.stopped" in body


async def test_the_trail_of_all_workspaces_comes_in_pages(admin: httpx.AsyncClient) -> None:
    """Newest first; with filters, and with what was changed."""
    for name in ("alice", "bob"):
        await admin.put(f"/api/workspaces/user:{name}?wait=10", json={"desired": "RUNNING"})
    first = (await admin.get("/api/audit", params={"limit": "2"})).json()
    rest = (await admin.get("/api/audit", params={"before": first["next"]})).json()
    assert [item["workspace"] for item in first["items"]] == ["user:bob", "user:bob"]
    assert rest["next"] is None
    wanted = {"action": "workspace.running", "workspace": "user:alice", "actor": f"uid:{os.getuid()}"}
    (found,) = (await admin.get("/api/audit", params=wanted)).json()["items"]
    assert (found["before"], found["after"]) == ({"desired": "STOPPED"}, {"desired": "RUNNING"})
    assert (await admin.get("/api/audit", params={**wanted, "actor": "uid:99"})).json()["items"] == []


@pytest.mark.parametrize("query", ["audit?before=x", "audit?action=A", "audit?workspace=x", "events?after=-1"])
async def test_what_is_no_filter_is_refused(admin: httpx.AsyncClient, query: str) -> None:
    """422, and no stream."""
    assert (await admin.get(f"/api/{query}")).status_code == 422


@pytest.mark.parametrize("path", ["/api/audit", "/api/events"])
async def test_the_whole_trail_is_for_administrators(service: httpx.AsyncClient, path: str) -> None:
    """It names every owner."""
    assert (await service.get(path)).status_code == 403
