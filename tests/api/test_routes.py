"""The routes that the framework serves."""

from __future__ import annotations

import os

import httpx
import pytest

from tests.fakes.daemon import CODE, FakeDaemon
from wsmgr.wire.workspace import Workspace

ALICE = "/api/workspaces/user:alice"
PLATFORM_NAMES = {
    "id", "containerId", "userId", "organizationId", "port", "status", "createdAt", "lastActivityAt", "resourceUsage",
}  # fmt: skip


async def test_a_workspace_has_the_platforms_names(admin: httpx.AsyncClient) -> None:
    """They are a contract; port is null on the unix transport."""
    made = await admin.put(f"{ALICE}?wait=10", json={"desired": "RUNNING"})
    assert made.status_code == 202
    body = (await admin.get(ALICE)).json()
    assert set(body) >= PLATFORM_NAMES
    assert (body["status"], body["userId"], body["organizationId"], body["port"]) == ("RUNNING", "alice", None, None)
    assert set(body["resourceUsage"]) >= {"memoryMb", "cpuPercent", "networkInBytes", "networkOutBytes"}
    assert [plugin["slug"] for plugin in body["plugins"]] == ["echo"]
    Workspace.model_validate(body)


async def test_the_verbs_move_a_workspace(admin: httpx.AsyncClient, system: FakeDaemon) -> None:
    """Each answers 202 with the workspace, and waits when asked to."""
    await admin.put(f"{ALICE}?wait=10", json={"desired": "RUNNING"})
    steps = [("stop", "STOPPED"), ("start", "RUNNING"), ("restart", "RUNNING"), ("touch", "RUNNING"),
             ("recover", "RUNNING"), ("resume", "RUNNING")]  # fmt: skip
    for verb, status in steps:
        answer = await admin.post(f"{ALICE}/{verb}?wait=10" if verb != "touch" else f"{ALICE}/touch")
        assert (answer.status_code, answer.json()["status"]) == (202, status), verb
    assert (await admin.delete(ALICE)).status_code == 204
    assert (await admin.delete(ALICE)).status_code == 204
    assert (await admin.get(ALICE)).status_code == 404
    assert system.engine.running() == set()


async def test_pause_says_that_it_cannot(admin: httpx.AsyncClient) -> None:
    """409, with the capability that is missing."""
    await admin.put(f"{ALICE}?wait=10", json={"desired": "RUNNING"})
    answer = await admin.post(f"{ALICE}/pause")
    assert (answer.status_code, answer.json()["code"], answer.json()["capability"]) == (409, "unsupported", "freeze")


async def test_lists_are_paged_by_id(admin: httpx.AsyncClient) -> None:
    """`next` leads through all of them, each once."""
    names = [f"user:u{number:02}" for number in range(7)]
    for name in names:
        await admin.put(f"/api/workspaces/{name}", json={"desired": "STOPPED"})
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": "3", **({"before": cursor} if cursor else {})}
        page = (await admin.get("/api/workspaces", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == names


async def test_the_dashboards_list_is_a_plain_array(admin: httpx.AsyncClient) -> None:
    """As the platform expects it."""
    await admin.put(ALICE, json={"desired": "STOPPED"})
    listed = (await admin.get("/api/admin/workspaces")).json()
    assert [item["id"] for item in listed] == ["user:alice"]
    assert (await admin.post("/api/admin/workspaces/user:alice/restart?wait=10")).json()["status"] == "RUNNING"
    assert (await admin.post("/api/admin/workspaces/user:alice/stop?wait=10")).json()["status"] == "STOPPED"


async def test_plugins_are_put_listed_rolled_back_and_deleted(admin: httpx.AsyncClient) -> None:
    """The life of a plugin over HTTP."""
    path = f"{ALICE}/plugins/greet"
    first = (await admin.put(path, json={"language": "javascript", "code": CODE})).json()
    second = (await admin.put(path, json={"language": "javascript", "code": CODE + "//2"})).json()
    assert first["version"] != second["version"]
    assert first["reloaded"] is False
    versions = (await admin.get(path)).json()["items"]
    assert [(v["version"], v["current"]) for v in versions] == [(second["version"], True), (first["version"], False)]
    back = await admin.post(f"{path}/rollback", json={"version": first["version"]})
    assert back.json()["version"] == first["version"]
    assert (await admin.post(f"{path}/rollback")).json()["version"] == second["version"]
    assert {item["slug"] for item in (await admin.get(f"{ALICE}/plugins")).json()["items"]} == {"echo", "greet"}
    assert (await admin.delete(path)).status_code == 204
    assert (await admin.get(path)).status_code == 404


@pytest.mark.parametrize("slug", ["..%2F..%2Fetc%2Fx", "A", "%00", "a" * 65, "%2e%2e", "-x", "a%20b"])
async def test_bad_slugs_are_refused(admin: httpx.AsyncClient, slug: str) -> None:
    """As data, never as paths."""
    answer = await admin.put(f"{ALICE}/plugins/{slug}", json={"language": "javascript", "code": CODE})
    assert answer.status_code in {404, 405, 422}
    assert (await admin.get(f"{ALICE}/plugins")).json()["items"][0]["slug"] == "echo"


@pytest.mark.parametrize(
    "body",
    [
        {"language": "cobol", "code": "x"},
        {"language": "javascript"},
        {"language": "javascript", "code": 1},
        {"language": "javascript", "code": "x", "more": 1},
        {"language": "javascript", "code": ""},
    ],
)
async def test_bad_plugins_are_refused_with_positions(admin: httpx.AsyncClient, body: dict[str, object]) -> None:
    """422, and nothing is stored."""
    answer = await admin.put(f"{ALICE}/plugins/bad", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"]
    assert (await admin.get(f"{ALICE}/plugins/bad")).status_code == 404


async def test_records_are_paged_newest_first(admin: httpx.AsyncClient) -> None:
    """And one by one."""
    ids = [f"run-{number}" for number in range(5)]
    for name in ids:
        call = {"userId": "alice", "plugin": "echo", "input": name, "executionId": name}
        assert (await admin.post("/api/execute", json=call)).status_code == 200
    page = (await admin.get(f"{ALICE}/executions?limit=3")).json()
    rest = (await admin.get(f"{ALICE}/executions", params={"limit": 3, "before": page["next"]})).json()
    assert [item["id"] for item in page["items"] + rest["items"]] == list(reversed(ids))
    one = (await admin.get("/api/executions/run-3")).json()
    assert (one["state"], one["output"], one["plugin"]) == ("succeeded", "run-3", "echo")
    assert (await admin.get("/api/executions/nope")).status_code == 404
    assert (await admin.get(f"{ALICE}/executions?before=nonsense")).status_code == 422


async def test_the_hosts_figures(admin: httpx.AsyncClient) -> None:
    """As the last look found them."""
    await admin.put(ALICE, json={"desired": "STOPPED"})
    figures = (await admin.get("/api/host")).json()
    assert figures["memoryMb"] > figures["memoryAvailableMb"] > 0
    assert figures["cpus"] == os.cpu_count()
    assert figures["workspaces"] == {"STOPPED": 1}


async def test_the_engines_versions_are_told_once_it_has_said_them(
    admin: httpx.AsyncClient, system: FakeDaemon
) -> None:
    """It says them with what it can enforce, and no request asks it."""
    await admin.get("/api/capabilities")
    asked = list(system.engine.calls)
    figures = (await admin.get("/api/host")).json()
    assert (figures["engine"], figures["engineVersion"], figures["ociRuntime"]) == (
        "container",
        "fake 1.0",
        "none at all",
    )
    assert system.engine.calls == asked


async def test_capabilities_carry_evidence(admin: httpx.AsyncClient) -> None:
    """For each isolation that this daemon has."""
    items = (await admin.get("/api/capabilities")).json()["items"]
    assert {item["isolation"] for item in items} == {"container", "worker"}
    assert all(item["evidence"] for item in items)
    await admin.put(f"{ALICE}", json={"desired": "STOPPED"})
    assert (await admin.get(ALICE)).json()["limitsEnforced"]["memory"] is True


async def test_the_health_of_daemon_and_workspace(admin: httpx.AsyncClient, system: FakeDaemon) -> None:
    """Degraded while the engine is away; a workspace is asked now, not remembered."""
    assert (await admin.get("/health")).json()["status"] == "healthy"
    await admin.put(f"{ALICE}?wait=10", json={"desired": "RUNNING"})
    assert (await admin.get(f"{ALICE}/health")).json()["healthy"] is True
    system.die()
    assert (await admin.get(f"{ALICE}/health")).json()["healthy"] is False
    system.engine.down = "Podman does not answer."
    await system.daemon.engines.probe(system.engine.isolation)
    health = (await admin.get("/health")).json()
    system.engine.down = None
    assert (health["status"], health["engine"]["available"]) == ("degraded", False)


async def test_metrics_are_prometheus_text(admin: httpx.AsyncClient) -> None:
    """Counted per outcome, and workspaces by status."""
    await admin.post("/api/execute", json={"userId": "alice", "plugin": "echo", "input": 1})
    answer = await admin.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert 'wsmgr_executions_total{outcome="succeeded"} 1.0' in lines
    assert 'wsmgr_workspaces{status="RUNNING"} 1.0' in lines
    assert 'wsmgr_engine_up{isolation="container"} 1.0' in lines


async def test_events_say_who_and_why(admin: httpx.AsyncClient) -> None:
    """The audit trail names the caller's uid."""
    await admin.put(f"{ALICE}?wait=10", json={"desired": "RUNNING"})
    await admin.post(f"{ALICE}/stop?wait=10")
    items = (await admin.get(f"{ALICE}/events")).json()["items"]
    stopped = next(item for item in items if item["action"] == "workspace.stopped")
    assert stopped["actor"].startswith("uid:")
    assert (await admin.get(f"{ALICE}/events?before=x")).status_code == 422


async def test_logs_of_the_runtime(admin: httpx.AsyncClient) -> None:
    """What the runtime itself wrote."""
    await admin.put(f"{ALICE}?wait=10", json={"desired": "RUNNING"})
    assert (await admin.get(f"{ALICE}/logs?lines=5")).json()["items"] == ["the test runtime started"]
    assert (await admin.get(f"{ALICE}/logs?lines=0")).status_code == 422


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nope", 404), ("PATCH", "/health", 405)])
async def test_what_is_not_there_is_a_problem_document_too(
    admin: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    """No bare framework answers."""
    answer = await admin.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


async def test_a_workspace_says_how_long_it_is_idle_and_when_it_stops(admin: httpx.AsyncClient) -> None:
    """Only one that runs is going to stop."""
    running = (await admin.put(f"{ALICE}?wait=10", json={"desired": "RUNNING"})).json()
    assert 0 <= running["idleSeconds"] < 30
    assert 30 < running["stopsInSeconds"] <= 60
    stopped = (await admin.put(f"{ALICE}?wait=10", json={"desired": "STOPPED"})).json()
    assert stopped["stopsInSeconds"] is None
