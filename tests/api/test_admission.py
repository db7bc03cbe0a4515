"""What is over a plan is answered with 429 and the figures, also when a hundred ask at once."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from tests.fakes.daemon import CODE, FakeDaemon

OWNER = "/api/owners/user:alice"


def _call(workspace: str | None = None) -> dict[str, Any]:
    return {"userId": "alice", "plugin": "echo", "input": 1, **({"workspace": workspace} if workspace else {})}


async def test_a_hundred_requests_at_once_never_make_a_fourth_workspace(
    admin: httpx.AsyncClient, service: httpx.AsyncClient, system: FakeDaemon
) -> None:
    """Calls, and wishes of people among them; each refusal has the figures, and says whether waiting helps."""
    await admin.put(OWNER, json={"plan": "PRO"})
    calls = [service.post("/api/execute", json=_call(f"w{n}")) for n in range(70)]
    wishes = [service.put(f"/api/workspaces/user:alice~p{n}", json={"desired": "RUNNING"}) for n in range(30)]
    answers = await asyncio.gather(*calls, *wishes)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 97
    for answer in refused:
        body = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert (body["code"], body["retryable"]) == ("quota_exceeded", True)
        assert (body["limit"], body["allowed"], body["used"]) == ("maxConcurrentWorkspaces", 3, 3)
    assert len(system.engine.running()) <= 3
    listed = (await admin.get("/api/admin/workspaces")).json()
    assert sum(workspace["desired"] == "RUNNING" for workspace in listed) == 3


async def test_a_call_over_the_rate_is_told_when_to_come_again(
    admin: httpx.AsyncClient, service: httpx.AsyncClient
) -> None:
    """In whole seconds, never too few."""
    await admin.patch(OWNER, json={"overrides": {"ratePerSecond": 0.3, "rateBurst": 2}})
    answers = [await service.post("/api/execute", json=_call()) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    body = answers[2].json()
    assert answers[2].headers["retry-after"] == "4"
    assert (body["limit"], body["allowed"], body["ratePerSecond"]) == ("rateBurst", 2, 0.3)


async def test_the_cap_of_the_input_is_that_of_the_input_alone(
    admin: httpx.AsyncClient, service: httpx.AsyncClient
) -> None:
    """To the byte; what else a call says is not counted in."""
    await admin.patch(OWNER, json={"overrides": {"inputBytes": 1024}})
    most = {**_call(), "input": "x" * 1022, "context": {"note": "y" * 2000}}
    assert (await service.post("/api/execute", json=most)).status_code == 200
    refused = await service.post("/api/execute", json={**most, "input": "x" * 1023})
    body = refused.json()
    assert (refused.status_code, body["code"]) == (413, "too_large")
    assert (body["limit"], body["allowed"], body["used"]) == ("inputBytes", 1024, 1025)


async def test_one_plugin_too_many_is_429_and_waiting_does_not_help(admin: httpx.AsyncClient) -> None:
    """A version of one that is there is taken; one that is too large is 413."""
    await admin.patch(OWNER, json={"overrides": {"maxPlugins": 1, "pluginBytes": 1024}})
    put = {"language": "javascript", "code": CODE}
    refused = await admin.put("/api/workspaces/user:alice/plugins/second", json=put)
    assert (refused.status_code, refused.json()["limit"], refused.json()["retryable"]) == (429, "maxPlugins", False)
    assert "retry-after" not in refused.headers
    assert (await admin.put("/api/workspaces/user:alice/plugins/echo", json=put)).status_code == 200
    large = await admin.put("/api/workspaces/user:alice/plugins/echo", json={**put, "code": "x" * 1025})
    assert (large.status_code, large.json()["limit"]) == (413, "pluginBytes")
