"""Workspaces and their verbs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from wsmgr.api import mapping
from wsmgr.api.context import Actor, Before, DaemonOf, Limit, StrictJsonRoute, Wait, WorkspacePath, problems
from wsmgr.control.daemon import Daemon
from wsmgr.control.entry import Entry
from wsmgr.core.ids import parse_workspace_id
from wsmgr.core.workspace import Desired
from wsmgr.ports.channel import ChannelClosed, ChannelTimeout, ProtocolViolation
from wsmgr.wire.event import EventPage
from wsmgr.wire.workspace import LogPage, PutWorkspace, Workspace, WorkspaceHealth, WorkspacePage

router = APIRouter(prefix="/api/workspaces", tags=["workspaces"], route_class=StrictJsonRoute)
HEALTH_TIMEOUT_S = 5.0
EventId = Annotated[str | None, Query(pattern="^[0-9]{1,17}$", description="The `next` of the page before.")]
Lines = Annotated[int, Query(ge=1, le=10_000, description="How many lines at the most.")]


async def shown(daemon: Daemon, entry: Entry) -> Workspace:
    """The wire form of a workspace, with its owner's plugins."""
    return mapping.workspace(daemon, entry, await daemon.plugins.all(entry.record.owner))


@router.get("", responses=problems())
async def list_workspaces(daemon: DaemonOf, limit: Limit = 100, before: Before = None) -> WorkspacePage:
    """A page of all workspaces, by id."""
    entries = daemon.fleet.page(before or "", limit)
    following = entries[-1].record.id if len(entries) == limit else None
    return WorkspacePage(items=[await shown(daemon, entry) for entry in entries], next=following)


@router.get("/{workspace}", responses=problems(404))
async def get_workspace(daemon: DaemonOf, workspace: WorkspacePath) -> Workspace:
    """One workspace."""
    return await shown(daemon, daemon.fleet.get(parse_workspace_id(workspace)))


@router.put("/{workspace}", responses=problems(409, 429), status_code=202)
async def put_workspace(
    daemon: DaemonOf, actor: Actor, workspace: WorkspacePath, body: PutWorkspace, wait: Wait = 0
) -> Workspace:
    """Make the workspace if it is new, and set what is wanted of it."""
    entry = await daemon.workspaces.put(parse_workspace_id(workspace), Desired(body.desired), actor, wait)
    return await shown(daemon, entry)


@router.delete(
    "/{workspace}", responses={202: {"description": "Not gone yet; it goes on."}, **problems()}, status_code=204
)
async def delete_workspace(daemon: DaemonOf, actor: Actor, workspace: WorkspacePath, wait: Wait = 30) -> Response:
    """Remove the container and forget the workspace. Plugins and records of the owner stay. Idempotent."""
    gone = await daemon.workspaces.delete(parse_workspace_id(workspace), actor, wait)
    return Response(status_code=204 if gone else 202)


@router.post("/{workspace}/start", responses=problems(404, 429), status_code=202)
async def start(daemon: DaemonOf, actor: Actor, workspace: WorkspacePath, wait: Wait = 0) -> Workspace:
    """Have it run."""
    return await shown(daemon, await daemon.workspaces.start(parse_workspace_id(workspace), actor, wait))


@router.post("/{workspace}/stop", responses=problems(404), status_code=202)
async def stop(daemon: DaemonOf, actor: Actor, workspace: WorkspacePath, wait: Wait = 0) -> Workspace:
    """Have it stopped; the next call starts it again."""
    return await shown(daemon, await daemon.workspaces.stop(parse_workspace_id(workspace), actor, wait))


@router.post("/{workspace}/restart", responses=problems(404, 429), status_code=202)
async def restart(daemon: DaemonOf, actor: Actor, workspace: WorkspacePath, wait: Wait = 0) -> Workspace:
    """Replace its container."""
    return await shown(daemon, await daemon.workspaces.restart(parse_workspace_id(workspace), actor, wait))


@router.post("/{workspace}/pause", responses=problems(404, 409), status_code=202)
async def pause(daemon: DaemonOf, actor: Actor, workspace: WorkspacePath, wait: Wait = 0) -> Workspace:
    """Have it keep its memory and use no CPU, where the host can freeze; the next call resumes it."""
    return await shown(daemon, await daemon.workspaces.pause(parse_workspace_id(workspace), actor, wait))


@router.post("/{workspace}/resume", responses=problems(404, 429), status_code=202)
async def resume(daemon: DaemonOf, actor: Actor, workspace: WorkspacePath, wait: Wait = 0) -> Workspace:
    """Have it run, from whatever state it is in."""
    return await shown(daemon, await daemon.workspaces.resume(parse_workspace_id(workspace), actor, wait))


@router.post("/{workspace}/touch", responses=problems(404), status_code=202)
async def touch(daemon: DaemonOf, workspace: WorkspacePath) -> Workspace:
    """Note activity."""
    return await shown(daemon, await daemon.workspaces.touch(parse_workspace_id(workspace)))


@router.post("/{workspace}/recover", responses=problems(404, 429), status_code=202)
async def recover(daemon: DaemonOf, actor: Actor, workspace: WorkspacePath, wait: Wait = 0) -> Workspace:
    """Forget its failures and have it run."""
    return await shown(daemon, await daemon.workspaces.recover(parse_workspace_id(workspace), actor, wait))


@router.get("/{workspace}/health", responses=problems(404))
async def health(daemon: DaemonOf, workspace: WorkspacePath) -> WorkspaceHealth:
    """Ask the runtime now. `consecutiveFailures` are the prober's, which this question does not count for."""
    entry = daemon.fleet.get(parse_workspace_id(workspace))
    endpoint, checked = entry.serving.endpoint, daemon.clock.now()
    if endpoint is None:
        return mapping.health(daemon, entry, healthy=None, uptime=None)
    try:
        seen = await daemon.channel.health(endpoint, HEALTH_TIMEOUT_S)
    except (ChannelClosed, ChannelTimeout, ProtocolViolation):
        return mapping.health(daemon, entry, healthy=False, uptime=None, checked=checked)
    return mapping.health(daemon, entry, healthy=seen.status == "healthy", uptime=seen.uptime_s, checked=checked)


@router.get("/{workspace}/logs", responses=problems(404))
async def logs(
    daemon: DaemonOf, workspace: WorkspacePath, lines: Annotated[int, Query(ge=1, le=10_000)] = 100
) -> LogPage:
    """The last lines that the runtime itself wrote; what plugins print is in the execution records."""
    return LogPage(items=list(await daemon.workspaces.logs(parse_workspace_id(workspace), lines)), next=None)


@router.get("/{workspace}/events", responses=problems())
async def events(daemon: DaemonOf, workspace: WorkspacePath, limit: Limit = 100, before: EventId = None) -> EventPage:
    """The audit trail of one workspace, newest first; also of one that was removed."""
    found = await daemon.store.events(parse_workspace_id(workspace), limit, int(before) if before else None)
    following = str(found[-1].id) if len(found) == limit else None
    return EventPage(items=[mapping.event(event) for event in found], next=following)
