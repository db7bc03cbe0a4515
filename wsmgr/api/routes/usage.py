"""What workspaces and owners used."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from wsmgr.api import usage as mapping
from wsmgr.api.context import DaemonOf, OwnerPath, StrictJsonRoute, WorkspacePath, problems
from wsmgr.core.ids import parse_owner_key, parse_workspace_id
from wsmgr.wire.usage import DEFAULT_POINTS, MAX_POINTS, OwnerUsage, Usage, UsageRange

router = APIRouter(prefix="/api", tags=["usage"], route_class=StrictJsonRoute)
Points = Annotated[int, Query(ge=1, le=MAX_POINTS, description="The most points.")]
Range = Annotated[UsageRange, Query(description="How far back.")]


@router.get("/workspaces/{workspace}/usage", response_model=Usage, responses=problems())
async def workspace_usage(
    daemon: DaemonOf,
    workspace: WorkspacePath,
    range: Range = "1h",  # noqa: A002  # the name that the API gives it
    points: Points = DEFAULT_POINTS,
) -> Response:
    """What a workspace used, oldest first; also one that was removed."""
    series = await daemon.usage.series(parse_workspace_id(workspace), mapping.SECONDS[range], points)
    return Response(await mapping.usage(range, series), media_type="application/json")


@router.get("/owners/{key}/usage", responses=problems())
async def owner_usage(daemon: DaemonOf, key: OwnerPath) -> OwnerUsage:
    """What all workspaces of an owner used in all, also those that are gone."""
    owner = parse_owner_key(key)
    return mapping.owner_usage(owner, await daemon.usage.of_owner(owner))
