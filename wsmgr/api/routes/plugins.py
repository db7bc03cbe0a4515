"""Plugins of a workspace's owner."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from wsmgr.api import mapping
from wsmgr.api.context import Actor, DaemonOf, SlugPath, StrictJsonRoute, WorkspacePath, problems
from wsmgr.api.uploads import UnsupportedMedia, media_type, put_plugin_of
from wsmgr.control.puts import Put, Upload
from wsmgr.core.ids import Version, owner_of, parse_slug, parse_version, parse_workspace_id
from wsmgr.core.plugin import Language
from wsmgr.ports.bundles import Format, Wishes
from wsmgr.wire.names import Language as LanguageName
from wsmgr.wire.names import Version as VersionText
from wsmgr.wire.plugin import PluginResult, PluginSource, PluginVersionPage, PutPlugin, Rollback

router = APIRouter(prefix="/api/workspaces/{workspace}/plugins", tags=["plugins"], route_class=StrictJsonRoute)

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODIES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": PutPlugin.model_json_schema()},
            **{form.value: _BINARY for form in Format},
        },
    }
}


def _result(put: Put) -> PluginResult:
    return PluginResult(
        slug=put.version.slug,
        version=put.version.version,
        reloaded=put.reloaded,
        reload_ms=put.reload_ms,
        warnings=[mapping.finding(one) for one in put.warnings],
    )


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


@router.get("/{slug}/versions/{version}", responses=problems(404))
async def get_source(daemon: DaemonOf, workspace: WorkspacePath, slug: SlugPath, version: VersionText) -> PluginSource:
    """One version with its files. A plugin put as code has one, called as its language usually calls it."""
    owner = owner_of(parse_workspace_id(workspace))
    return mapping.plugin_source(await daemon.plugins.source(owner, parse_slug(slug), parse_version(version)))


@router.put("/{slug}", responses=problems(413, 415, 429), openapi_extra=_BODIES)
async def put_plugin(
    request: Request,
    daemon: DaemonOf,
    actor: Actor,
    workspace: WorkspacePath,
    slug: SlugPath,
    language: Annotated[LanguageName | None, Query(description="Of an archive that does not say it itself.")] = None,
    entry: Annotated[str | None, Query(max_length=512, description="The file of an archive that is loaded.")] = None,
) -> PluginResult:
    """Store a version and make it current; a running workspace loads it first, and refuses what does not load."""
    place, name, form = parse_workspace_id(workspace), parse_slug(slug), media_type(request)
    if form == "application/json":
        body = put_plugin_of(await request.body())
        return _result(await daemon.plugins.put(place, name, Language(body.language), body.code, actor))
    if form not in list(Format):
        raise UnsupportedMedia(f"A plugin is application/json, {Format.TAR_GZ} or {Format.ZIP}, and not {form[:80]!r}.")
    wishes = Wishes(None if language is None else Language(language), entry or None)
    upload = Upload(await request.body(), Format(form), wishes)
    return _result(await daemon.plugins.put_bundle(place, name, upload, actor))


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
