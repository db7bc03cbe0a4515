"""Alerts, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from wsmgr.api import mapping
from wsmgr.api.context import Actor, DaemonOf, Limit, StrictJsonRoute, problems
from wsmgr.wire.alert import Alert, AlertPage

router = APIRouter(prefix="/api/alerts", tags=["alerts"], route_class=StrictJsonRoute)
Number = Annotated[int, Path(ge=1, le=10**17, description="The id of an alert.")]
Before = Annotated[str | None, Query(pattern="^[0-9]{1,17}$", description="The `next` of the page before.")]
All = Annotated[bool, Query(alias="all", description="Resolved ones too.")]


@router.get("", responses=problems())
async def alerts(daemon: DaemonOf, limit: Limit = 100, before: Before = None, resolved: All = False) -> AlertPage:
    """What is the matter now, newest first."""
    found = await daemon.alerts.listed(limit, int(before) if before else None, resolved=resolved)
    following = str(found[-1].id) if len(found) == limit else None
    return AlertPage(items=[mapping.alert(alert) for alert in found], next=following)


@router.post("/{number}/ack", responses=problems(404))
async def acknowledge(daemon: DaemonOf, actor: Actor, number: Number) -> Alert:
    """Say that you know of it. The first who says so stays; it is open until its cause is gone."""
    return mapping.alert(await daemon.alerts.acknowledge(number, actor))
