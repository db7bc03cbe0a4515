"""The OpenAPI document and the real daemon agree: schemathesis looks for what they disagree about.

It calls the daemon over TCP with a token. The isolation is `worker`, since every made-up owner starts a workspace.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from tests.podman.daemon.rig import RealDaemon, real_daemon
from tests.podman.daemon.test_faults import free_port


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[RealDaemon, str, str]]:
    """A daemon on TCP, its address, and a token of the role admin."""
    port = free_port()
    with real_daemon(isolation="worker", listen=f"127.0.0.1:{port}") as daemon:
        token = daemon.cli("token", "create", "schema", "--role", "admin").stdout.strip()
        yield daemon, f"http://127.0.0.1:{port}", token


@pytest.fixture(scope="module")
def document(served: tuple[RealDaemon, str, str]) -> Any:
    """The daemon's own OpenAPI document."""
    _, url, token = served
    return schemathesis.openapi.from_url(
        f"{url}/openapi.json", headers={"Authorization": f"Bearer {token}"}, wait_for_schema=10
    )


# The streams have no end to wait for; the tests of the API have tests of their own for each of their answers.
schema = schemathesis.pytest.from_fixture("document").exclude(path=["/api/events", "/api/fleet/stream"])


@schema.parametrize()
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation(case: schemathesis.Case[Any], served: tuple[RealDaemon, str, str]) -> None:
    """Answers have the documented statuses, types and shapes; wrong requests are refused, and none is a defect."""
    _, _, token = served
    acceptance: Any = schemathesis.checks.CHECKS.get_one("positive_data_acceptance")
    excluded = [acceptance] if beyond_a_schema(case) else []
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, timeout=60, excluded_checks=excluded)


def beyond_a_schema(case: schemathesis.Case[Any]) -> bool:
    """Refusals that no schema can foretell: code that does not load, a cursor that no page gave, a stream of a call
    that is not waited for, and a callback where none is made."""
    loads = (case.method, case.operation.path) == ("PUT", "/api/workspaces/{workspace}/plugins/{slug}")
    unheard = (case.method, case.operation.path) == ("POST", "/api/execute") and (
        "callback" in (case.body if isinstance(case.body, dict) else {}) or (case.query or {}).get("mode") == "async"
    )
    return loads or unheard or case.operation.path == "/api/workspaces/{workspace}/executions"


def test_the_daemon_came_through_it(served: tuple[RealDaemon, str, str]) -> None:
    """No defect was logged, and it still works."""
    daemon, _, _ = served
    with daemon.client() as client:
        assert client.health().status == "healthy"
    log = daemon.log.read_text()
    assert "Traceback" not in log
    assert "defect" not in log
