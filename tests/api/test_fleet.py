"""The live view over a real server: what readers hear, and what they cost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp

from tests.api.test_events import served
from tests.fakes.daemon import FakeDaemon
from wsmgr.api.gate import Gate
from wsmgr.api.identity import Identity, Role
from wsmgr.api.live import LiveFleet
from wsmgr.client import ApiError, AsyncClient, ConnectionLost
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.workspace import Desired
from wsmgr.wire.fleet import FleetCaller, FleetChanges, FleetPulse, FleetSnapshot, FleetUpdate

PATIENCE_S = 60.0
"""The server and its client share one loop here: a busy machine makes both silent."""
ALICE = WorkspaceId("user:alice")
BOB = WorkspaceId("user:bob")


@pytest.fixture
async def client(app: ASGIApp, system: FakeDaemon, tmp_path: Path) -> AsyncIterator[AsyncClient]:
    """The daemon's own user, who watches a daemon with one workspace."""
    await system.daemon.workspaces.put(ALICE, Desired.RUNNING, "uid:0", 10)
    path = tmp_path / "real" / "api.sock"
    async with served(app, path), AsyncClient(path) as client:
        yield client


@pytest.fixture
def live(app: ASGIApp) -> LiveFleet:
    """What the application tells from."""
    assert isinstance(app, Gate)
    assert isinstance(app._app, FastAPI)
    found = app._app.state.live
    assert isinstance(found, LiveFleet)
    return found


async def until_change(updates: AsyncIterator[FleetUpdate], workspace: str) -> FleetChanges:
    """The next change of a workspace."""
    async with asyncio.timeout(60):
        async for update in updates:
            if isinstance(update, FleetChanges) and any(row.id == workspace for row in update.workspaces):
                return update
    raise AssertionError("the stream ended")


async def first(updates: AsyncIterator[FleetUpdate]) -> FleetSnapshot:
    """What there is when one begins to watch."""
    async for update in updates:
        if isinstance(update, FleetSnapshot):
            return update
        assert isinstance(update, FleetCaller | FleetPulse)
    raise AssertionError("the stream ended")


@asynccontextmanager
async def watching(client: AsyncClient) -> AsyncIterator[AsyncIterator[FleetUpdate]]:
    """The updates, which end with the block."""
    updates = client.fleet(silence_s=PATIENCE_S)
    try:
        yield updates
    finally:
        await updates.aclose()  # type: ignore[attr-defined]  # an async generator


async def test_first_everything_then_what_changes(client: AsyncClient, system: FakeDaemon) -> None:
    """Through the client, as the terminal UI hears it."""
    async with watching(client) as updates:
        assert [row.id for row in (await first(updates)).workspaces] == ["user:alice"]
        await system.daemon.workspaces.put(BOB, Desired.RUNNING, "uid:0", 10)
        assert [row.id for row in (await until_change(updates, "user:bob")).workspaces] == ["user:bob"]
        await system.daemon.workspaces.stop(ALICE, "uid:0", 10)
        (row,) = (await until_change(updates, "user:alice")).workspaces
        assert row.status == "STOPPED"


async def test_a_reader_is_told_first_who_it_is(client: AsyncClient) -> None:
    """So that a client offers nothing that would be refused."""
    async with watching(client) as updates:
        assert await anext(updates) == FleetCaller(actor=f"uid:{os.getuid()}", role="admin")


@pytest.mark.slow
async def test_a_sign_of_life_comes_each_second(client: AsyncClient) -> None:
    """Also while nothing changes."""
    async with watching(client) as updates:
        await first(updates)
        began = asyncio.get_running_loop().time()
        beats = 0
        async for update in updates:
            beats += isinstance(update, FleetPulse)
            if beats == 4:
                break
        assert asyncio.get_running_loop().time() - began >= 2


@pytest.mark.slow
async def test_it_comes_also_when_the_view_fails(client: AsyncClient, system: FakeDaemon) -> None:
    """A defect there is logged, and what changed is told when it is over."""
    async with watching(client) as updates:
        await first(updates)
        for _ in range(3):
            system.store.fail_next("current_plugins", ValueError("asked for"))
        await system.put(code="export default () => 2")
        async with asyncio.timeout(60):
            beats = 0
            while isinstance(update := await anext(updates), FleetPulse):
                beats += 1
        assert beats >= 2
        assert isinstance(update, FleetChanges)
        assert [row.id for row in update.workspaces] == ["user:alice"]


async def test_ten_readers_cost_no_more_encoding_than_one(
    client: AsyncClient, live: LiveFleet, system: FakeDaemon
) -> None:
    """All hear the same, and a row is encoded once."""
    ten = [client.fleet(silence_s=PATIENCE_S) for _ in range(10)]
    try:
        assert {len((await first(one)).workspaces) for one in ten} == {1}
        assert live.readers == 10
        before = live.roster.encoded
        await system.daemon.workspaces.stop(ALICE, "uid:0", 10)
        heard = await asyncio.gather(*(until_change(one, "user:alice") for one in ten))
        assert {one.workspaces[0].status for one in heard} <= {"STOPPED", "RUNNING"}
        assert live.roster.encoded - before <= 2
    finally:
        for one in ten:
            await one.aclose()  # type: ignore[attr-defined]  # an async generator


@pytest.mark.slow
async def test_nobody_watches_and_nothing_is_done(client: AsyncClient, live: LiveFleet, system: FakeDaemon) -> None:
    """When the last reader goes; who comes later begins with what is then."""
    async with watching(client) as updates:
        await first(updates)
    async with asyncio.timeout(60):
        while live.readers:  # noqa: ASYNC110  # the end of a connection sends no event
            await asyncio.sleep(0.01)
    encoded = live.roster.encoded
    await system.daemon.workspaces.stop(ALICE, "uid:0", 10)
    await asyncio.sleep(1.5)
    assert live.roster.encoded == encoded
    async with watching(client) as updates:
        (row,) = (await first(updates)).workspaces
        assert row.status == "STOPPED"


@pytest.mark.slow
async def test_a_reader_that_is_slow_hears_the_newest(live: LiveFleet, system: FakeDaemon) -> None:
    """It takes nothing for some seconds; what it then gets is one part, and not one for each second."""
    await system.daemon.workspaces.put(ALICE, Desired.RUNNING, "uid:0", 10)
    live.join()
    told = live.follow(Identity("uid:0", Role.ADMIN))
    frames = []
    async for frame in told:
        frames.append(frame)
        if b"event: snapshot" in frame:
            break
    number = live.roster.number
    for verb in ("stop", "start", "stop"):
        await getattr(system.daemon.workspaces, verb)(ALICE, "uid:0", 10)
        async with asyncio.timeout(60):
            while live.roster.number == number:  # noqa: ASYNC110  # a look sends no event to others
                await asyncio.sleep(0.05)
        number = live.roster.number
    late = await anext(told)
    assert late.count(b"event: changes") == 1
    assert late.count(b'"id":"user:alice"') == 1
    assert b'"status":"STOPPED"' in late
    await told.aclose()
    live.leave()


async def test_only_administrators_may_watch(service: httpx.AsyncClient) -> None:
    """And it is said before anything is sent."""
    answer = await service.get("/api/fleet/stream")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_too_many_are_refused(client: AsyncClient, live: LiveFleet) -> None:
    """With their number, and a sentence."""
    live._most = 1
    async with watching(client) as updates:
        await first(updates)
        with pytest.raises(ApiError) as refused:
            await anext(client.fleet(silence_s=PATIENCE_S))
    assert (refused.value.code, refused.value.status) == ("quota_exceeded", 429)


async def test_the_end_of_the_daemon_ends_it(client: AsyncClient, system: FakeDaemon) -> None:
    """So that the server need not wait, and the reader knows."""
    async with watching(client) as updates:
        await first(updates)
        await system.stop()
        with pytest.raises(ConnectionLost, match="ended the stream"):
            await until_change(updates, "user:nobody")
