"""Who may call what."""

from __future__ import annotations

import asyncio
import os

import httpx
import pytest
from starlette.types import ASGIApp

from tests.api.conftest import SERVICE_UID, client_of
from wsmgr.api.identity import Forbidden, Identity, Peer, People, Role, Tokens, Unauthenticated, digest_of, new_secret
from wsmgr.core.errors import InvalidRequest

ADMIN_ONLY = ["/api/admin/workspaces", "/api/owners/user:alice", "/api/plans", "/api/capabilities"]
FOR_BOTH = ["/api/workspaces", "/api/workspaces/user:alice/plugins"]
FOR_ALL = ["/health", "/metrics"]


async def test_the_role_service_calls_and_does_not_administrate(
    service: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    """403 with a sentence; the same paths work for an admin."""
    for path in ADMIN_ONLY:
        refused = await service.get(path)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), path
        assert (await admin.get(path)).status_code == 200, path
    for path in FOR_BOTH:
        assert (await service.get(path)).status_code == 200, path
    assert (await service.put("/api/owners/user:alice", json={"plan": "ENTERPRISE"})).status_code == 403


async def test_the_role_viewer_looks_at_everything_and_changes_nothing(
    viewer: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    """Every path that only reads, and none that does not; the same calls work for an admin."""
    for path in [*ADMIN_ONLY, *FOR_BOTH, "/api/alerts", "/api/audit", "/api/host"]:
        assert (await viewer.get(path)).status_code == 200, path
    call = {"userId": "alice", "plugin": "echo", "input": 1}
    changes = [
        ("POST", "/api/execute", call),
        ("PUT", "/api/workspaces/user:alice", {"desired": "RUNNING"}),
        ("POST", "/api/workspaces/user:alice/touch", None),
        ("PUT", "/api/owners/user:alice", {"plan": "PRO"}),
        ("DELETE", "/api/workspaces/user:alice", None),
    ]
    for method, path, body in changes:
        refused = await viewer.request(method, path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), path
        assert "change nothing" in refused.json()["detail"]
    for method, path, body in changes:
        assert (await admin.request(method, path, json=body)).is_success, path


async def test_a_stranger_on_the_socket_is_refused(app: ASGIApp) -> None:
    """Being able to connect is not yet a role; health and metrics are for all."""
    async with client_of(app, Peer(SERVICE_UID + 1, frozenset())) as stranger:
        for path in ADMIN_ONLY + FOR_BOTH:
            assert (await stranger.get(path)).status_code == 403, path
        assert (await stranger.post("/api/execute", json={})).status_code == 403
        for path in FOR_ALL:
            assert (await stranger.get(path)).status_code == 200, path


async def test_tcp_needs_a_token(tcp: httpx.AsyncClient) -> None:
    """401 without one or with a wrong one; its role counts."""
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic x"}, {"authorization": "Bearer "}):
        refused = await tcp.get("/api/workspaces", headers=headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert (await tcp.post("/api/execute", json={}, headers=headers)).status_code == 401
    service, admin = ({"authorization": f"Bearer {name}-secret"} for name in ("service", "admin"))
    assert (await tcp.get("/api/workspaces", headers=service)).status_code == 200
    assert (await tcp.get("/api/admin/workspaces", headers=service)).status_code == 403
    assert (await tcp.get("/api/admin/workspaces", headers=admin)).status_code == 200


def test_roles_come_from_uid_and_groups() -> None:
    """Root and the daemon's own user are admin; the settings name the others; the strongest role counts."""
    people = People(1000, ["1001", "@2001"], ["1002", "@2002"], ["1003", "@2001", "@2003"])
    table = [(0, 0, "admin"), (1000, 1, "admin"), (1001, 1, "admin"), (5, 2001, "admin"), (1002, 1, "service"),
             (5, 2002, "service"), (1002, 2001, "admin"), (1003, 1, "viewer"), (5, 2003, "viewer"),
             (1002, 2003, "service")]  # fmt: skip
    for uid, gid, role in table:
        assert people.identify(Peer(uid, frozenset({gid}))) == Identity(f"uid:{uid}", Role(role))
    with pytest.raises(Forbidden):
        people.identify(Peer(5, frozenset({5})))


def test_a_name_that_this_host_does_not_know_is_refused_at_once() -> None:
    """A typing error in the settings must not silently give nobody a role."""
    with pytest.raises(InvalidRequest, match="no-such-user"):
        People(os.getuid(), ["no-such-user"], [])


class Shelf:
    """Tokens as another process stores them, and how often they were looked at."""

    def __init__(self) -> None:
        self.stored: dict[str, Identity] = {}
        self.looks = 0

    def put(self, name: str) -> bytes:
        """A new one, as a client sends it."""
        secret = new_secret()
        self.stored[digest_of(secret)] = Identity(f"token:{name}", Role.SERVICE)
        return f"Bearer {secret}".encode()

    async def reload(self) -> dict[str, Identity]:
        """All that are stored now."""
        self.looks += 1
        return self.stored


async def test_a_token_works_once_it_is_stored_and_not_after_it_was_revoked() -> None:
    shelf = Shelf()
    tokens = Tokens({}, shelf.reload, every_s=0)
    one = shelf.put("one")
    assert (await tokens.identify(one)).actor == "token:one"
    shelf.stored.clear()
    await tokens.refresh()
    with pytest.raises(Unauthenticated):
        await tokens.identify(one)


async def test_a_token_that_was_just_stored_is_never_refused() -> None:
    """Also when the daemon has only just looked."""
    shelf = Shelf()
    tokens = Tokens({}, shelf.reload, every_s=0.05)
    for name in ("one", "two", "three"):
        assert (await tokens.identify(shelf.put(name))).actor == f"token:{name}"


async def test_guesses_wait_for_one_look_together() -> None:
    shelf = Shelf()
    tokens = Tokens({}, shelf.reload, every_s=0.2)
    guesses = [f"Bearer {new_secret()}".encode() for _ in range(50)]
    outcomes = await asyncio.gather(*(tokens.identify(one) for one in guesses), return_exceptions=True)
    assert {type(one) for one in outcomes} == {Unauthenticated}
    # The first of them begins a look; the others came before it, or while it went on.
    assert shelf.looks <= 2
