"""POST /api/execute."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.fakes.channel import failing
from tests.fakes.daemon import FakeDaemon
from wsmgr.core.outcome import FailureType
from wsmgr.wire.execute import ExecuteResponse


def call(**more: object) -> dict[str, Any]:
    """A call of alice's echo."""
    return {"userId": "alice", "plugin": "echo", "input": {"n": 1}, **more}


async def test_the_answer_is_the_wire_model(admin: httpx.AsyncClient) -> None:
    """The hot path writes its JSON by hand; every member is one of the model's, and the other way round."""
    answer = await admin.post("/api/execute", json=call())
    assert answer.status_code == 200
    parsed = ExecuteResponse.model_validate(answer.json())
    assert parsed.success
    assert parsed.output == {"n": 1}
    written = parsed.model_dump(by_alias=True)
    assert set(answer.json()) == set(written) - {"error"}


async def test_a_failed_plugin_is_http_200(admin: httpx.AsyncClient, system: FakeDaemon) -> None:
    """With the error's type and message, and no output."""
    await admin.post("/api/execute", json=call())
    system.runtime().does["echo"] = failing(FailureType.OUT_OF_MEMORY, "too much")
    answer = await admin.post("/api/execute", json=call())
    assert answer.status_code == 200
    assert answer.json()["success"] is False
    assert answer.json()["error"] == {"type": "OutOfMemory", "message": "too much"}
    assert "output" not in answer.json()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"userId": "../../etc"}, "userId"),
        ({"userId": 7}, "userId"),
        ({"plugin": "../../etc/x"}, "plugin"),
        ({"plugin": {"slug": "echo", "version": "1"}}, "plugin"),
        ({"plugin": {"slug": "echo", "language": "cobol", "code": "x"}}, "plugin"),
        ({"timeoutMs": 0}, "timeoutMs"),
        ({"timeoutMs": "100"}, "timeoutMs"),
        ({"timeoutMs": True}, "timeoutMs"),
        ({"executionId": "a b"}, "executionId"),
        ({"workspace": "A"}, "workspace"),
        ({"context": []}, "context"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_what_is_not_valid_is_refused_with_its_place(
    admin: httpx.AsyncClient, system: FakeDaemon, change: dict[str, object], place: str
) -> None:
    """422, a problem document, and no container."""
    answer = await admin.post("/api/execute", json=call(**change))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid_request"
    assert answer.json()["errors"][0]["loc"][0] == place
    assert not system.engine.running()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"nonsense", b"[]", b"null", b'{"userId": NaN}', b'{"userId":"\\ud800"}', b"\xff", b'"' * 9]
)
async def test_what_is_no_json_object_is_refused(admin: httpx.AsyncClient, body: bytes) -> None:
    """A body cut short, NaN, a lone surrogate, another type."""
    answer = await admin.post("/api/execute", content=body)
    assert answer.status_code == 422


async def test_a_missing_member_is_named(admin: httpx.AsyncClient) -> None:
    """`input` may be null, and may not be left out."""
    body = call()
    del body["input"]
    answer = await admin.post("/api/execute", json=body)
    assert answer.status_code == 422
    assert "input" in answer.json()["detail"]
    assert (await admin.post("/api/execute", json=call(input=None))).status_code == 200


async def test_numbers_beyond_64_bits_arrive_as_javascript_has_them(admin: httpx.AsyncClient) -> None:
    """JSON has no bound; JavaScript has doubles, and so has the daemon."""
    body = json.dumps(call(input=2**70)).encode()
    answer = await admin.post("/api/execute", content=body)
    assert answer.json()["output"] == float(2**70)


async def test_the_owner_is_the_organisation_when_one_is_named(admin: httpx.AsyncClient, system: FakeDaemon) -> None:
    """Two users of an organisation share its workspace."""
    await system.put("org:acme")
    for user in ("alice", "bob"):
        assert (await admin.post("/api/execute", json=call(userId=user, organizationId="acme"))).status_code == 200
        context = system.runtime("org:acme").calls[-1].context
        assert (context["userId"], context["organizationId"]) == (user, "acme")
    assert system.engine.running() == {"org:acme"}


async def test_inline_code_needs_no_stored_plugin(admin: httpx.AsyncClient) -> None:
    """It is pushed with the call."""
    inline = {"slug": "once", "language": "javascript", "code": "export default () => 1"}
    answer = await admin.post("/api/execute", json=call(userId="zoe", plugin=inline))
    assert answer.json()["success"] is True


async def test_the_same_id_gives_the_same_answer(admin: httpx.AsyncClient, system: FakeDaemon) -> None:
    """In whatever order the members stand; and another call under it is a conflict."""
    first = await admin.post("/api/execute", json=call(executionId="x"))
    again = await admin.post("/api/execute", json=dict(reversed(call(executionId="x").items())))
    other = await admin.post("/api/execute", json=call(executionId="x", input=2))
    assert first.json() == again.json()
    assert other.status_code == 409
    assert len(system.runtime().calls) == 1


async def test_an_unknown_plugin_is_404(admin: httpx.AsyncClient) -> None:
    """With what to do."""
    answer = await admin.post("/api/execute", json=call(plugin="nope"))
    assert answer.status_code == 404
    assert "PUT" in answer.json()["detail"]


async def test_a_full_queue_is_429_with_retry_after(admin: httpx.AsyncClient, system: FakeDaemon) -> None:
    """Typed, with the limit and the usage."""
    await admin.post("/api/execute", json=call())
    entry = next(iter(system.daemon.fleet))
    entry.calls = 10_000
    answer = await admin.post("/api/execute", json=call())
    entry.calls = 0
    assert answer.status_code == 429
    assert answer.json()["limit"] == "queueLength"
    assert answer.json()["retryable"] is True
    assert int(answer.headers["retry-after"]) >= 1


async def test_an_engine_that_is_away_is_503_where_nothing_may_stand_in(
    admin: httpx.AsyncClient, system: FakeDaemon
) -> None:
    """Retryable; and with the owner's leave a worker answers, degraded."""
    system.engine.down = "Podman does not answer."
    await admin.put("/api/owners/user:alice", json={"plan": "FREE", "fallback": False})
    refused = await admin.post("/api/execute", json=call())
    await admin.put("/api/owners/user:alice", json={"plan": "FREE", "fallback": True})
    allowed = await admin.post("/api/execute", json=call())
    system.engine.down = None
    assert (refused.status_code, refused.json()["code"]) == (503, "engine_unavailable")
    assert (allowed.status_code, allowed.json()["degraded"], allowed.json()["isolation"]) == (200, True, "worker")


async def test_a_body_over_every_bound_is_413(admin: httpx.AsyncClient) -> None:
    """Before it is parsed."""

    async def endless() -> Any:
        for _ in range(60):
            yield b"x" * 1024 * 1024

    call_ = await admin.post("/api/execute", content=endless())
    path = "/api/workspaces/user:alice/plugins/x"
    announced = await admin.put(path, content=b"", headers={"content-length": str(10**9)})
    assert (call_.status_code, announced.status_code) == (413, 413)


@pytest.mark.parametrize("named", [{}, {"executionId": "deep"}])
@pytest.mark.parametrize("member", ["input", "context"])
async def test_what_is_nested_too_deep_to_be_sent_on(
    admin: httpx.AsyncClient, system: FakeDaemon, member: str, named: dict[str, str]
) -> None:
    """It is refused, with an id and without, before a workspace is made for it; not quite so deep it runs."""

    def body(levels: int) -> str:
        whole = json.dumps(call(**named, context={}, **{"input": 1} if member == "context" else {}))
        deep = "[" * levels + "]" * levels
        return (
            whole.replace('"context": {}', f'"context": {{"a": {deep}}}')
            if member == "context"
            else whole.replace('"input": {"n": 1}', f'"input": {deep}')
        )

    refused = await admin.post("/api/execute", content=body(300))
    assert refused.status_code == 422
    assert "nested too deep" in refused.json()["detail"]
    assert (await admin.get("/api/workspaces")).json()["items"] == []
    answer = await admin.post("/api/execute", content=body(190))
    assert (answer.status_code, answer.json()["success"]) == (200, True)
