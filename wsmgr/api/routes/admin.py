"""For administrators: the dashboard's endpoints, owners, plans, and what the host can enforce."""

from __future__ import annotations

from fastapi import APIRouter

from wsmgr.api import mapping
from wsmgr.api.context import Actor, DaemonOf, OwnerPath, StrictJsonRoute, Wait, WorkspacePath, problems
from wsmgr.api.host import figures
from wsmgr.api.routes.workspaces import shown
from wsmgr.core.ids import parse_owner_key, parse_workspace_id
from wsmgr.core.isolation import Isolation, parse_isolation
from wsmgr.core.limits import PLANS, plan_named
from wsmgr.core.owner import Owner
from wsmgr.wire.capability import CapabilityPage
from wsmgr.wire.host import Host
from wsmgr.wire.owner import Owner as WireOwner
from wsmgr.wire.owner import PutOwner
from wsmgr.wire.plan import PlanPage
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


@router.get("/owners/{key}", responses=problems())
async def get_owner(daemon: DaemonOf, key: OwnerPath) -> WireOwner:
    """What was chosen for an owner; the daemon's own choices where nothing was."""
    return mapping.owner(await daemon.workspaces.owner(parse_owner_key(key)))


@router.put("/owners/{key}", responses=problems())
async def put_owner(daemon: DaemonOf, actor: Actor, key: OwnerPath, body: PutOwner) -> WireOwner:
    """Choose for an owner; running workspaces follow at their next idle moment."""
    isolation = parse_isolation(body.isolation) if body.isolation is not None else None
    # An unknown plan is FREE, and the answer says so: a misspelt name is seen at once.
    plan = plan_named(body.plan).name if body.plan is not None else None
    owner = Owner(parse_owner_key(key), plan=plan, isolation=isolation, fallback=body.fallback)
    await daemon.workspaces.put_owner(owner, actor)
    return mapping.owner(await daemon.workspaces.owner(owner.key))


@router.get("/plans", responses=problems())
async def plans(daemon: DaemonOf) -> PlanPage:
    """All plans with their limits."""
    del daemon
    return PlanPage(items=[mapping.plan(plan) for plan in PLANS.values()])


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
