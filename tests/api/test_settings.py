"""Configuration and secrets over HTTP."""

from __future__ import annotations

import httpx
import pytest

from tests.fakes.daemon import FakeDaemon
from wsmgr.wire.settings import PluginConfig, SecretInfo, SecretPage

ECHO = "/api/workspaces/user:alice/plugins/echo"
NONE = "/api/workspaces/user:alice/plugins/none"
VALUE = "canary-0123456789"


async def test_a_configuration_is_put_and_read_back(service: httpx.AsyncClient) -> None:
    """As a whole, with who and when; empty before."""
    assert (await service.get(f"{ECHO}/config")).json() == {"config": {}, "changedAt": None, "changedBy": None}
    config = {"from": "alice@example.org", "retries": 3, "deep": [{"a": None}]}
    put = await service.put(f"{ECHO}/config", json={"config": config})
    assert put.status_code == 200
    got = await service.get(f"{ECHO}/config")
    assert got.json() == put.json()
    seen = PluginConfig.model_validate(got.json())
    assert seen.config == config
    assert seen.changed_by
    await service.put(f"{ECHO}/config", json={"config": {}})
    assert (await service.get(f"{ECHO}/config")).json()["config"] == {}


async def test_a_secret_is_set_listed_and_removed(service: httpx.AsyncClient) -> None:
    """Never read back: no answer has its value."""
    put = await service.put(f"{ECHO}/secrets/API_KEY", json={"value": VALUE})
    assert put.status_code == 200
    info = SecretInfo.model_validate(put.json())
    listed = await service.get(f"{ECHO}/secrets")
    assert SecretPage.model_validate(listed.json()).items == [info]
    assert (await service.delete(f"{ECHO}/secrets/API_KEY")).status_code == 204
    assert (await service.delete(f"{ECHO}/secrets/API_KEY")).status_code == 204
    assert (await service.get(f"{ECHO}/secrets")).json()["items"] == []
    assert VALUE not in put.text + listed.text


async def test_no_other_answer_has_a_value(service: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
    """Workspaces, plugins, executions, events, metrics; the control is the plugin, which got it."""
    await service.put(f"{ECHO}/secrets/API_KEY", json={"value": VALUE})
    called = await service.post(
        "/api/execute", json={"userId": "alice", "plugin": "echo", "input": 1, "executionId": "e1"}
    )
    assert called.status_code == 200
    paths = ["/api/workspaces", "/api/workspaces/user:alice", ECHO, "/api/executions/e1", "/api/audit", "/metrics"]
    paths += ["/api/workspaces/user:alice/events", "/api/workspaces/user:alice/logs", "/api/admin/workspaces"]
    for path in paths:
        answer = await admin.get(path)
        assert answer.status_code == 200, path
        assert VALUE not in answer.text, path
    assert "API_KEY" in (await admin.get("/api/audit")).text


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (f"{ECHO}/secrets/API_KEY", {"value": {"secret": VALUE}}, 422, "invalid_request"),
        (f"{ECHO}/secrets/API_KEY", {"value": VALUE, "extra": VALUE}, 422, "invalid_request"),
        (f"{ECHO}/secrets/API_KEY", [VALUE], 422, "invalid_request"),
        (f"{ECHO}/secrets/API_KEY", {"value": ""}, 422, "invalid_request"),
        (f"{ECHO}/secrets/API_KEY", {"value": VALUE * 1000}, 422, "invalid_request"),
        (f"{ECHO}/secrets/api_key", {"value": VALUE}, 422, "invalid_request"),
        (f"{NONE}/secrets/API_KEY", {"value": VALUE}, 404, "not_found"),
        (f"{ECHO}/config", {"config": [VALUE]}, 422, "invalid_request"),
        (f"{ECHO}/config", {"config": {"a": VALUE * 10_000}}, 422, "invalid_request"),
        (f"{NONE}/config", {"config": {"a": VALUE}}, 404, "not_found"),
    ],
)
async def test_a_refusal_does_not_repeat_what_was_sent(
    service: httpx.AsyncClient, path: str, body: object, status: int, code: str
) -> None:
    """A problem document with the place of the mistake, and nothing of the value."""
    answer = await service.put(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert VALUE not in answer.text


async def test_text_that_is_no_json_is_refused_without_repeating_it(service: httpx.AsyncClient) -> None:
    """Somebody may have sent the bare value."""
    answer = await service.put(
        f"{ECHO}/secrets/API_KEY", content=VALUE.encode(), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    assert VALUE not in answer.text


async def test_one_too_many_is_a_429(service: httpx.AsyncClient, system: FakeDaemon) -> None:
    """With the limit and the use of it."""
    for number in range(system.settings.secrets_per_plugin):
        assert (await service.put(f"{ECHO}/secrets/K{number}", json={"value": "x"})).status_code == 200
    answer = await service.put(f"{ECHO}/secrets/ONE_MORE", json={"value": "x"})
    assert answer.status_code == 429
    problem = answer.json()
    assert (problem["code"], problem["limit"], problem["allowed"]) == ("quota_exceeded", "secretsPerPlugin", 64)


async def test_rotation_is_for_admins(service: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
    """The service is refused; an admin hears how many were sealed anew."""
    await service.put(f"{ECHO}/secrets/API_KEY", json={"value": VALUE})
    assert (await service.post("/api/admin/secrets/rotate")).status_code == 403
    rotated = await admin.post("/api/admin/secrets/rotate")
    assert (rotated.status_code, rotated.json()) == (200, {"resealed": 1})
