"""For administrators: the dashboard's endpoints, and what the host can enforce."""

from __future__ import annotations

from fastapi import APIRouter

from wsmgr.api import mapping
from wsmgr.api.context import Actor, DaemonOf, StrictJsonRoute, Wait, WorkspacePath, problems
from wsmgr.api.host import figures
from wsmgr.api.routes.workspaces import shown
from wsmgr.core.ids import parse_workspace_id
from wsmgr.core.isolation import Isolation
from wsmgr.wire.capability import CapabilityPage
from wsmgr.wire.host import Host
from wsmgr.wire.workspace import Workspace

router = APIRouter(prefix="/api", tags=["admin"], route_class=StrictJsonRoute)


@router.get("/admin/workspaces", responses=problems())
async def list_all(daemon: DaemonOf) -> list[Workspace]:
    """Every workspace, as a plain array."""
    return [await shown(daemon, entry) for entry in daemon.fleet]


@router.post("/admin/workspaces/{workspace}/stop", responses=problems(404), status_code=202)
async def stop(daemon: DaemonOf, actor: Actor, workspace: WorkspacePath, wait: Wait = 0) -> Workspace:
    """Have it stopped; the next call starts it again."""
    return await shown(daemon, await daemon.workspaces.stop(parse_workspace_id(workspace), actor, wait))


@router.post("/admin/workspaces/{workspace}/restart", responses=problems(404, 429), status_code=202)
async def restart(daemon: DaemonOf, actor: Actor, workspace: WorkspacePath, wait: Wait = 0) -> Workspace:
    """Replace its container."""
    return await shown(daemon, await daemon.workspaces.restart(parse_workspace_id(workspace), actor, wait))


@router.get("/host", responses=problems())
async def host(daemon: DaemonOf) -> Host:
    """Figures of the host, and how many workspaces are in which state."""
    return figures(daemon)


@router.get("/capabilities", responses=problems())
async def capabilities(daemon: DaemonOf) -> CapabilityPage:
    """What this host was seen to enforce, for each isolation; proves it first where that has not been done."""
    matrix = await daemon.capabilities.matrix()
    chosen = daemon.isolation
    return CapabilityPage(
        items=[
            mapping.capability(isolation, line, required=line.required and isolation is chosen is Isolation.CONTAINER)
            for isolation, column in matrix.items()
            for line in column
        ]
    )
