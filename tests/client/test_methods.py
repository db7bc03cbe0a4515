"""Every row of the table of calls, through both clients, against a real server."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from tests.client import canned
from tests.client.fake_daemon import FakeDaemon
from wsmgr.client import ApiError, AsyncClient, Client, executing, operations, plugin_operations
from wsmgr.client.method import AsyncMethod, Method
from wsmgr.wire.alert import Alert, AlertPage
from wsmgr.wire.capability import CapabilityPage
from wsmgr.wire.event import EventPage
from wsmgr.wire.execute import Cancellation, ExecuteResponse, ExecutionTicket, InlinePlugin, PluginRef
from wsmgr.wire.execution import Execution, ExecutionPage
from wsmgr.wire.health import Health
from wsmgr.wire.host import Host
from wsmgr.wire.owner import Owner, OwnerPage
from wsmgr.wire.plan import PlanPage
from wsmgr.wire.plugin import PluginResult, PluginSource, PluginVersionPage
from wsmgr.wire.settings import PluginConfig, SecretInfo, SecretPage, SecretsRotated
from wsmgr.wire.usage import OwnerUsage, Usage
from wsmgr.wire.volume import VolumePage
from wsmgr.wire.workspace import LogPage, Workspace, WorkspaceHealth, WorkspacePage

A = "user:alice"
ONE = "/api/workspaces/user:alice"
PLUGIN = {"language": "javascript", "code": "module.exports = () => 1"}
V = canned.VERSION
BUNDLE = {"archive": b"\x1f\x8b", "media": "application/gzip", "entry": "index.js"}
Row = tuple[str, tuple[Any, ...], dict[str, Any], str, type]

ROWS: list[Row] = [
    ("execute", ("alice", "hello", {"a": 1}), {}, "POST /api/execute", ExecuteResponse),
    ("execution", ("e-1",), {}, "GET /api/executions/e-1", Execution),
    ("executions", (A,), {}, f"GET {ONE}/executions", ExecutionPage),
    ("workspaces", (), {}, "GET /api/workspaces", WorkspacePage),
    ("workspace", (A,), {}, f"GET {ONE}", Workspace),
    ("put_workspace", (A, "STOPPED"), {}, f"PUT {ONE}", Workspace),
    ("delete_workspace", (A,), {}, f"DELETE {ONE}", type(None)),
    ("start", (A,), {}, f"POST {ONE}/start", Workspace),
    ("stop", (A,), {}, f"POST {ONE}/stop", Workspace),
    ("restart", (A,), {}, f"POST {ONE}/restart", Workspace),
    ("pause", (A,), {}, f"POST {ONE}/pause", Workspace),
    ("resume", (A,), {}, f"POST {ONE}/resume", Workspace),
    ("touch", (A,), {}, f"POST {ONE}/touch", Workspace),
    ("recover", (A,), {}, f"POST {ONE}/recover", Workspace),
    ("put_plugin", (A, "hello"), PLUGIN, f"PUT {ONE}/plugins/hello", PluginResult),
    ("put_bundle", (A, "hello"), BUNDLE, f"PUT {ONE}/plugins/hello", PluginResult),
    ("plugin_source", (A, "hello", V), {}, f"GET {ONE}/plugins/hello/versions/{V}", PluginSource),
    ("plugins", (A,), {}, f"GET {ONE}/plugins", PluginVersionPage),
    ("plugin", (A, "hello"), {}, f"GET {ONE}/plugins/hello", PluginVersionPage),
    ("delete_plugin", (A, "hello"), {}, f"DELETE {ONE}/plugins/hello", type(None)),
    ("rollback", (A, "hello"), {}, f"POST {ONE}/plugins/hello/rollback", PluginResult),
    ("plugin_config", (A, "hello"), {}, f"GET {ONE}/plugins/hello/config", PluginConfig),
    ("put_plugin_config", (A, "hello", {"a": 1}), {}, f"PUT {ONE}/plugins/hello/config", PluginConfig),
    ("secrets", (A, "hello"), {}, f"GET {ONE}/plugins/hello/secrets", SecretPage),
    ("put_secret", (A, "hello", "API_KEY", "v"), {}, f"PUT {ONE}/plugins/hello/secrets/API_KEY", SecretInfo),
    ("delete_secret", (A, "hello", "API_KEY"), {}, f"DELETE {ONE}/plugins/hello/secrets/API_KEY", type(None)),
    ("rotate_secrets", (), {}, "POST /api/admin/secrets/rotate", SecretsRotated),
    ("workspace_logs", (A,), {}, f"GET {ONE}/logs", LogPage),
    ("workspace_events", (A,), {}, f"GET {ONE}/events", EventPage),
    ("audit", (), {"actor": "uid:0", "workspace": A}, "GET /api/audit", EventPage),
    ("alerts", (), {"resolved": True}, "GET /api/alerts", AlertPage),
    ("acknowledge", (7,), {}, "POST /api/alerts/7/ack", Alert),
    ("workspace_health", (A,), {}, f"GET {ONE}/health", WorkspaceHealth),
    ("workspace_usage", (A,), {"range": "6h", "points": 90}, f"GET {ONE}/usage", Usage),
    ("owner_usage", (A,), {}, "GET /api/owners/user:alice/usage", OwnerUsage),
    ("execute_later", ("alice", "hello", 1), {"callback": "https://x.example/"}, "POST /api/execute", ExecutionTicket),
    ("cancel", ("job:7",), {}, "POST /api/executions/job:7/cancel", Cancellation),
    ("owner", (A,), {}, "GET /api/owners/user:alice", Owner),
    ("owners", (), {"limit": 5}, "GET /api/owners", OwnerPage),
    ("patch_owner", (A, {"plan": "PRO", "overrides": {"cpus": None}}), {}, "PATCH /api/owners/user:alice", Owner),
    ("put_owner", (A,), {"plan": "PRO", "overrides": {"memoryMb": 300}}, "PUT /api/owners/user:alice", Owner),
    ("plans", (), {}, "GET /api/plans", PlanPage),
    ("reload_plans", (), {}, "POST /api/plans/reload", PlanPage),
    ("capabilities", (), {}, "GET /api/capabilities", CapabilityPage),
    ("volumes", (), {}, "GET /api/volumes", VolumePage),
    ("delete_volume", ("v64-00",), {}, "DELETE /api/volumes/v64-00", type(None)),
    ("host", (), {}, "GET /api/host", Host),
    ("health", (), {}, "GET /health", Health),
    ("metrics", (), {}, "GET /metrics", str),
    ("admin_workspaces", (), {}, "GET /api/admin/workspaces", list),
]


def test_both_clients_have_every_row_of_the_table() -> None:
    """No call is in one client only, and none goes without a test."""
    table = {
        name
        for module in (operations, executing, plugin_operations)
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and not name.startswith("_")
        and value.__module__ == module.__name__
        and str(inspect.signature(value).return_annotation).startswith("Operation[")
    }
    assert table == {name for name, value in vars(Client).items() if isinstance(value, Method)}
    assert table == {name for name, value in vars(AsyncClient).items() if isinstance(value, AsyncMethod)}
    assert table == {row[0] for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_blocking_call_sends_and_reads_what_the_api_has(row: Row, client: Client, daemon: FakeDaemon) -> None:
    """The right method and path, a body that the wire models take, and a typed result."""
    name, args, kwargs, sent, kind = row
    result = getattr(client, name)(*args, **kwargs)
    assert f"{daemon.last.method} {daemon.last.path}" == sent
    assert type(result) is kind


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
async def test_an_awaited_call_sends_and_reads_the_same(row: Row, daemon: FakeDaemon) -> None:
    """The same table through the other client."""
    name, args, kwargs, sent, kind = row
    async with AsyncClient(daemon.path) as client:
        result = await getattr(client, name)(*args, **kwargs)
    assert f"{daemon.last.method} {daemon.last.path}" == sent
    assert type(result) is kind


def test_an_execution_sends_all_that_was_given(client: Client, daemon: FakeDaemon) -> None:
    """Each argument has its JSON name; the fake refuses what the wire model refuses."""
    answer = client.execute(
        "alice",
        PluginRef(slug="hello", version=canned.VERSION),
        None,
        organization_id="acme",
        workspace="reports",
        context={"locale": "de"},
        timeout_ms=1500,
        execution_id="job:7",
    )
    assert answer.output == {"got": None}
    assert daemon.last.body == {
        "userId": "alice",
        "plugin": {"slug": "hello", "version": canned.VERSION},
        "input": None,
        "organizationId": "acme",
        "workspace": "reports",
        "context": {"locale": "de"},
        "timeoutMs": 1500,
        "executionId": "job:7",
    }


def test_code_can_come_with_the_call(client: Client, daemon: FakeDaemon) -> None:
    """An inline plugin goes as it is."""
    inline = InlinePlugin(slug="hello", language="javascript", code="x")
    client.execute("alice", inline)
    assert daemon.last.body["plugin"] == {"slug": "hello", "language": "javascript", "code": "x"}


@pytest.mark.parametrize(
    ("call", "query"),
    [
        (operations.start(A, wait=2.5), {"wait": "2.5"}),
        (operations.delete_workspace(A, wait=3), {"wait": "3"}),
        (operations.executions(A, limit=5, before="c=1&x"), {"limit": "5", "before": "c=1&x"}),
        (operations.workspace_logs(A, lines=7), {"lines": "7"}),
        (operations.workspace_events(A, limit=1, before="9"), {"limit": "1", "before": "9"}),
        (operations.workspaces(), {}),
    ],
)
def test_options_go_as_a_query(call: Any, query: dict[str, str], client: Client, daemon: FakeDaemon) -> None:
    """What is None is left out; what is given is escaped."""
    client.call(call)
    assert daemon.last.query == query


def test_ids_with_reserved_marks_stay_one_segment(client: Client, daemon: FakeDaemon) -> None:
    """A slash, a question mark or a hash in a name never makes another path."""
    with pytest.raises(ApiError, match="There is no"):
        client.workspace("user:a/b?wait=1#c%2e %e~f@g")
    assert daemon.last.target == "/api/workspaces/user:a%2Fb%3Fwait%3D1%23c%252e%20%25e~f@g"


async def test_whoever_sends_an_archive_is_told_how_far_it_is(daemon: FakeDaemon) -> None:
    """By both clients: from nothing to all of it; the body is what was given, with its length."""
    archive = bytes(range(256)) * 1000
    told: list[int] = []
    with Client(daemon.path) as client:
        client.put_bundle(A, "hello", archive=archive, media="application/gzip", sent=told.append)
    blocking = daemon.last
    awaited: list[int] = []
    async with AsyncClient(daemon.path) as other:
        await other.put_bundle(A, "hello", archive=archive, media="application/gzip", sent=awaited.append)
    assert told == awaited == sorted({*told})
    assert (told[0], told[-1], len(told) > 2) == (0, len(archive), True)
    for seen in (blocking, daemon.last):
        assert (seen.body, seen.headers["content-length"]) == (archive, str(len(archive)))


def test_an_operation_does_not_show_its_body() -> None:
    """A secret may be in it; the path is shown."""
    operation = plugin_operations.put_secret(A, "hello", "API_KEY", "hunter2")
    assert operation.body == {"value": "hunter2"}
    assert "hunter2" not in repr(operation) + str(operation)
    assert "API_KEY" in repr(operation)


def test_a_token_goes_with_every_call_over_tcp() -> None:
    """As a bearer token, and over TCP only."""
    with FakeDaemon() as daemon, Client(url=f"http://127.0.0.1:{daemon.port}/", token="s3cret") as client:  # noqa: S106
        client.health()
        assert daemon.last.headers["authorization"] == "Bearer s3cret"
        assert "s3cret" not in repr(client.target)


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token must not go to a proxy, and loopback is not reached through one."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with FakeDaemon() as daemon, Client(url=f"http://127.0.0.1:{daemon.port}") as client:
        assert client.health().status == "healthy"
