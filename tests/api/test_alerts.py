"""Alerts over HTTP."""

from __future__ import annotations

import os

import httpx
import pytest

from tests.fakes.daemon import FakeDaemon
from wsmgr.core.alert import Severity, Trouble
from wsmgr.core.ids import WorkspaceId
from wsmgr.wire.alert import AlertPage


@pytest.fixture(autouse=True)
async def alerts(system: FakeDaemon) -> None:
    """An open one of a workspace, and a resolved one of the daemon."""
    now = system.daemon.clock.now()
    alice = WorkspaceId("user:alice")
    await system.store.raise_alert(Trouble("gone", Severity.WARNING, "It was so."), now)
    await system.store.resolve_alert("gone", now)
    await system.store.raise_alert(Trouble("here", Severity.CRITICAL, "It is so.", alice), now)


async def test_open_alerts_are_listed_and_all_when_asked(admin: httpx.AsyncClient) -> None:
    """Newest first, in pages."""
    page = AlertPage.model_validate_json((await admin.get("/api/alerts")).content)
    (alert,) = page.items
    assert (alert.cause, alert.severity, alert.workspace, alert.resolved_at) == ("here", "critical", "user:alice", None)
    first = (await admin.get("/api/alerts?all=true&limit=1")).json()
    rest = (await admin.get("/api/alerts", params={"all": "true", "limit": "1", "before": first["next"]})).json()
    assert [first["items"][0]["cause"], rest["items"][0]["cause"]] == ["here", "gone"]


async def test_an_acknowledgement_names_who(admin: httpx.AsyncClient) -> None:
    """And the alert stays open."""
    answer = await admin.post("/api/alerts/2/ack")
    assert (answer.status_code, answer.json()["acknowledgedBy"]) == (200, f"uid:{os.getuid()}")
    assert len((await admin.get("/api/alerts")).json()["items"]) == 1


@pytest.mark.parametrize(("number", "status"), [("99", 404), ("0", 422), ("x", 422), ("9" * 30, 422)])
async def test_an_alert_that_is_not_there_is_refused(admin: httpx.AsyncClient, number: str, status: int) -> None:
    """Unknown, or no number at all."""
    assert (await admin.post(f"/api/alerts/{number}/ack")).status_code == status


async def test_alerts_are_for_administrators(service: httpx.AsyncClient) -> None:
    """They name every owner."""
    assert (await service.get("/api/alerts")).status_code == 403
    assert (await service.post("/api/alerts/2/ack")).status_code == 403
