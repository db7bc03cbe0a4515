"""Plugins of a workspace's owner."""

from __future__ import annotations

from fastapi import APIRouter, Response

from wsmgr.api import mapping
from wsmgr.api.context import Actor, DaemonOf, SlugPath, StrictJsonRoute, WorkspacePath, problems
from wsmgr.control.plugins import Put
from wsmgr.core.ids import Version, owner_of, parse_slug, parse_workspace_id
from wsmgr.core.plugin import Language
from wsmgr.wire.plugin import PluginResult, PluginVersionPage, PluginWarning, PutPlugin, Rollback

router = APIRouter(prefix="/api/workspaces/{workspace}/plugins", tags=["plugins"], route_class=StrictJsonRoute)


def _result(put: Put) -> PluginResult:
    warnings = [PluginWarning(message=text) for text in put.warnings]
    return PluginResult(slug=put.version.slug, version=put.version.version, reloaded=put.reloaded, warnings=warnings)


@router.get("", responses=problems())
async def list_plugins(daemon: DaemonOf, workspace: WorkspacePath) -> PluginVersionPage:
    """The current version of each plugin of the owner, by slug."""
    owned = await daemon.plugins.all(owner_of(parse_workspace_id(workspace)))
    return PluginVersionPage(items=[mapping.plugin_version(version) for version in owned])


@router.get("/{slug}", responses=problems(404))
async def get_plugin(daemon: DaemonOf, workspace: WorkspacePath, slug: SlugPath) -> PluginVersionPage:
    """All versions of one plugin, newest first."""
    versions = await daemon.plugins.versions(owner_of(parse_workspace_id(workspace)), parse_slug(slug))
    return PluginVersionPage(items=[mapping.plugin_version(version) for version in versions])


@router.put("/{slug}", responses=problems(413, 429))
async def put_plugin(
    daemon: DaemonOf, actor: Actor, workspace: WorkspacePath, slug: SlugPath, body: PutPlugin
) -> PluginResult:
    """Store a version and make it current; a running workspace loads it first, and refuses what does not load."""
    language = Language(body.language)
    return _result(
        await daemon.plugins.put(parse_workspace_id(workspace), parse_slug(slug), language, body.code, actor)
    )


@router.delete("/{slug}", responses=problems(), status_code=204)
async def delete_plugin(daemon: DaemonOf, actor: Actor, workspace: WorkspacePath, slug: SlugPath) -> Response:
    """Forget a plugin with its versions. Idempotent."""
    await daemon.plugins.delete(parse_workspace_id(workspace), parse_slug(slug), actor)
    return Response(status_code=204)


@router.post("/{slug}/rollback", responses=problems(404))
async def rollback(
    daemon: DaemonOf, actor: Actor, workspace: WorkspacePath, slug: SlugPath, body: Rollback | None = None
) -> PluginResult:
    """Make an older version current."""
    to = Version(body.version) if body is not None and body.version is not None else None
    return _result(await daemon.plugins.rollback(parse_workspace_id(workspace), parse_slug(slug), to, actor))
