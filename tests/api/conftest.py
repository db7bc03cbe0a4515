"""The API is tested as an ASGI application on a daemon of fakes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.fakes.daemon import FakeDaemon
from wsmgr.api.app import build
from wsmgr.api.identity import Identity, Peer, People, Role, Tokens, digest_of

TOKENS = {
    digest_of("admin-secret"): Identity("token:ops", Role.ADMIN),
    digest_of("service-secret"): Identity("token:platform", Role.SERVICE),
}
SERVICE_UID = 61_001
VIEWER_UID = 61_003


class As:
    """Gives every request the credentials that the server's protocol would read from the socket."""

    def __init__(self, app: ASGIApp, peer: Peer | None) -> None:
        self._app = app
        self._peer = peer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        scope["state"] = {"peer": self._peer}
        await self._app(scope, receive, send)


def client_of(app: ASGIApp, peer: Peer | None) -> httpx.AsyncClient:
    """A client that calls the application directly."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(As(app, peer)), base_url="http://wsmgr")


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[FakeDaemon]:
    """A started daemon on fakes, with the plugin `echo` of user:alice stored."""
    system = await FakeDaemon(tmp_path).start()
    await system.put()
    yield system
    if not system.daemon.executions.refusing:
        await system.stop()


@pytest.fixture
def app(system: FakeDaemon) -> ASGIApp:
    """The application."""
    return build(system.daemon, People(os.getuid(), [], [str(SERVICE_UID)], [str(VIEWER_UID)]), Tokens(TOKENS))


@pytest.fixture
async def admin(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """The daemon's own user, on the unix socket."""
    async with client_of(app, Peer(os.getuid(), frozenset())) as client:
        yield client


@pytest.fixture
async def service(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """A user with the role service, on the unix socket."""
    async with client_of(app, Peer(SERVICE_UID, frozenset())) as client:
        yield client


@pytest.fixture
async def viewer(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """A user with the role viewer, on the unix socket."""
    async with client_of(app, Peer(VIEWER_UID, frozenset())) as client:
        yield client


@pytest.fixture
async def tcp(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody on the loopback, with no token yet."""
    async with client_of(app, None) as client:
        yield client
