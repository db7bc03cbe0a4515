"""Owners and plans over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.fakes.daemon import FakeDaemon
from wsmgr.core.errors import InvalidPlans
from wsmgr.core.limit_table import RULES
from wsmgr.wire.limits import Limits
from wsmgr.wire.plan import LimitChanges

ALICE = "/api/owners/user:alice"


def _choices(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return {name: body[name] for name in ("plan", "isolation", "fallback", "overrides")}


def test_the_wire_has_every_limit_with_its_bounds() -> None:
    """The table in core and the OpenAPI document say the same."""
    names = [rule.name for rule in RULES]
    assert [field.alias for field in Limits.model_fields.values()] == names
    schema = LimitChanges.model_json_schema()["properties"]
    assert list(schema) == names
    for rule in RULES:
        form = schema[rule.name]["anyOf"][0]
        kind = {bool: "boolean", int: "integer", float: "number"}[rule.kind]
        assert form["type"] == kind, rule.name
        if rule.kind is not bool:
            assert (form["minimum"], form["maximum"]) == (rule.least, rule.most), rule.name


async def test_put_replaces_everything(admin: httpx.AsyncClient) -> None:
    """The daemon's choice until somebody chooses; docker means container, a misspelt plan is FREE."""
    assert (await admin.get(ALICE)).json()["plan"] == "FREE"
    full = {"plan": "pro", "isolation": "docker", "fallback": False, "overrides": {"memoryMb": 300}}
    put = await admin.put(ALICE, json=full)
    assert _choices(put) == {
        "plan": "PRO",
        "isolation": "container",
        "fallback": False,
        "overrides": {"memoryMb": 300},
    }
    assert (put.json()["limits"]["memoryMb"], put.json()["limits"]["cpus"]) == (300, 1)
    assert (await admin.get(ALICE)).json() == put.json()
    partly = await admin.put(ALICE, json={"isolation": "worker"})
    assert _choices(partly) == {"plan": "FREE", "isolation": "worker", "fallback": None, "overrides": {}}
    assert (await admin.put(ALICE, json={"plan": "PROO"})).json()["plan"] == "FREE"


async def test_patch_changes_what_is_named(admin: httpx.AsyncClient) -> None:
    """Null takes back, one limit or all; what is not named stays."""
    steps: list[tuple[dict[str, object], dict[str, object]]] = [
        ({"plan": "PRO"}, {"plan": "PRO"}),
        ({"overrides": {"memoryMb": 300, "cpus": 1}}, {"overrides": {"memoryMb": 300, "cpus": 1}}),
        ({"overrides": {"cpus": None, "pids": 99}}, {"overrides": {"memoryMb": 300, "pids": 99}}),
        ({"fallback": False, "isolation": "none"}, {"fallback": False, "isolation": "none"}),
        ({"overrides": {}}, {}),
        ({}, {}),
        ({"isolation": None}, {"isolation": None}),
        ({"overrides": None}, {"overrides": {}}),
        ({"plan": None, "fallback": None}, {"plan": "FREE", "fallback": None}),
    ]
    expected: dict[str, object] = {"plan": "FREE", "isolation": None, "fallback": None, "overrides": {}}
    for body, changed in steps:
        expected = {**expected, **changed}
        assert _choices(await admin.patch(ALICE, json=body)) == expected, body


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"overrides": {"memoryMB": 300}}, "memoryMB"),
        ({"overrides": {"memory_mb": 300}}, "memory_mb"),
        ({"overrides": {"memoryMb": 31}}, "memoryMb"),
        ({"overrides": {"memoryMb": "300"}}, "memoryMb"),
        ({"overrides": {"memoryMb": 300.5}}, "memoryMb"),
        ({"overrides": {"cpus": True}}, "cpus"),
        ({"overrides": {"requireEnforcedLimits": 1}}, "requireEnforcedLimits"),
        ({"overrides": []}, "overrides"),
        ({"plan": ""}, "plan"),
        ({"plan": 1}, "plan"),
        ({"limits": {}}, "limits"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_what_cannot_be_is_refused_with_its_place(
    admin: httpx.AsyncClient, method: str, body: dict[str, object], where: str
) -> None:
    """422, and nothing is stored."""
    answer = await admin.request(method, ALICE, json=body)
    assert answer.status_code == 422
    assert where in answer.json()["detail"]
    assert (await admin.get("/api/owners")).json() == {"items": [], "next": None}


async def test_a_whole_number_may_be_written_with_a_point(admin: httpx.AsyncClient) -> None:
    """As JSON Schema has it; it is kept as the whole number that it is."""
    put = await admin.patch(ALICE, json={"overrides": {"memoryMb": 300.0, "cpus": 1.0}})
    assert put.json()["overrides"] == {"memoryMb": 300, "cpus": 1}
    assert '"memoryMb":300,' in put.text


async def test_owners_are_listed_page_by_page(admin: httpx.AsyncClient, service: httpx.AsyncClient) -> None:
    """Those with choices and those with workspaces; for administrators."""
    for name in ("a", "c", "e"):
        await admin.put(f"/api/owners/user:{name}", json={"plan": "PRO"})
    for name in ("b", "c", "d"):
        await admin.put(f"/api/workspaces/user:{name}", json={"desired": "STOPPED"})
    seen: list[tuple[str, str]] = []
    cursor = None
    while True:
        page = (await admin.get("/api/owners", params={"limit": 2, **({"before": cursor} if cursor else {})})).json()
        seen += [(item["key"], item["plan"]) for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    plans = ["PRO", "FREE", "PRO", "FREE", "PRO"]
    assert seen == [(f"user:{name}", plan) for name, plan in zip("abcde", plans, strict=True)]
    for path in ("/api/owners", ALICE, "/api/plans"):
        assert (await service.get(path)).status_code == 403
    assert (await service.post("/api/plans/reload")).status_code == 403


async def test_a_workspace_shows_its_plan_and_the_limits_that_hold(admin: httpx.AsyncClient) -> None:
    """With the overrides."""
    await admin.put(ALICE, json={"plan": "PRO", "overrides": {"idleTimeoutSeconds": 7}})
    made = await admin.put("/api/workspaces/user:alice?wait=10", json={"desired": "RUNNING"})
    body = made.json()
    assert (body["plan"], body["limits"]["idleTimeoutSeconds"], body["limits"]["memoryMb"]) == ("PRO", 7, 512)
    assert body["stopsInSeconds"] <= 7


async def test_plans_are_shown_with_what_owners_limits_come_to(admin: httpx.AsyncClient) -> None:
    """And where they are from."""
    body = (await admin.get("/api/plans")).json()
    plans = {plan["name"]: plan["limits"] for plan in body["items"]}
    assert list(plans) == ["FREE", "PRO", "ENTERPRISE"]
    assert (plans["FREE"]["memoryMb"], plans["ENTERPRISE"]["maxConcurrentWorkspaces"]) == (128, 10)
    assert (plans["PRO"]["ownerMemoryMb"], plans["PRO"]["ownerConcurrentExecutions"]) == (1536, 24)
    assert (body["noPlan"]["memoryMb"], body["source"]) == (256, "built in")


async def test_reload_answers_with_the_plans_or_with_what_is_wrong(
    admin: httpx.AsyncClient, system: FakeDaemon
) -> None:
    """422 with the lines, and the plans stay."""
    system.plans.set("FREE", memory_mb=160)
    system.plans.set("TEAM", memory_mb=700)
    body = (await admin.post("/api/plans/reload")).json()
    assert [(plan["name"], plan["limits"]["memoryMb"]) for plan in body["items"]][::3] == [("FREE", 160), ("TEAM", 700)]
    mistakes = [{"line": 3, "reason": "cpus is 'x'"}]
    system.plans.fail = InvalidPlans("f, line 3: cpus is 'x'.", details={"file": "f", "mistakes": mistakes})
    refused = await admin.post("/api/plans/reload")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_plans")
    assert (refused.json()["mistakes"], refused.json()["file"]) == (mistakes, "f")
    assert (await admin.get("/api/plans")).json() == body
