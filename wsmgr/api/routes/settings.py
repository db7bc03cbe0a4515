"""What a plugin is given beside its code. It belongs to the workspace's owner, as the plugin does."""

from __future__ import annotations

from fastapi import APIRouter, Response

from wsmgr.api.context import Actor, DaemonOf, SecretPath, SlugPath, StrictJsonRoute, WorkspacePath, problems
from wsmgr.core.ids import parse_slug, parse_workspace_id
from wsmgr.core.plugin_settings import StoredConfig
from wsmgr.core.secret import Secret, parse_secret_name
from wsmgr.core.secret import SecretInfo as StoredSecret
from wsmgr.wire.settings import PluginConfig, PutPluginConfig, PutSecret, SecretInfo, SecretPage

router = APIRouter(prefix="/api/workspaces/{workspace}/plugins/{slug}", tags=["plugins"], route_class=StrictJsonRoute)


def _config(stored: StoredConfig | None) -> PluginConfig:
    if stored is None:
        return PluginConfig(config={})
    return PluginConfig.model_validate(
        {"config": dict(stored.config), "changedAt": stored.changed_at, "changedBy": stored.changed_by}
    )


def _secret(info: StoredSecret) -> SecretInfo:
    return SecretInfo(name=info.name, set_at=info.set_at, set_by=info.set_by)


@router.get("/config", responses=problems(404))
async def get_config(daemon: DaemonOf, workspace: WorkspacePath, slug: SlugPath) -> PluginConfig:
    """The configuration of a plugin."""
    return _config(await daemon.configuring.config(parse_workspace_id(workspace), parse_slug(slug)))


@router.put("/config", responses=problems(404))
async def put_config(
    daemon: DaemonOf, actor: Actor, workspace: WorkspacePath, slug: SlugPath, body: PutPluginConfig
) -> PluginConfig:
    """Replace the configuration of a plugin. Calls that start from now on get it as `context.config`."""
    target = parse_workspace_id(workspace), parse_slug(slug)
    return _config(await daemon.configuring.put_config(*target, body.config, actor))


@router.get("/secrets", responses=problems(404))
async def list_secrets(daemon: DaemonOf, workspace: WorkspacePath, slug: SlugPath) -> SecretPage:
    """The secrets of a plugin by name: who set each and when, never a value."""
    found = await daemon.configuring.secrets(parse_workspace_id(workspace), parse_slug(slug))
    return SecretPage(items=[_secret(info) for info in found])


@router.put("/secrets/{name}", responses=problems(404, 429))
async def put_secret(
    daemon: DaemonOf, actor: Actor, workspace: WorkspacePath, slug: SlugPath, name: SecretPath, body: PutSecret
) -> SecretInfo:
    """Set a secret. Calls that start from now on get it as `context.secrets.NAME`."""
    target = parse_workspace_id(workspace), parse_slug(slug), parse_secret_name(name)
    secret = Secret(body.value.get_secret_value())
    return _secret(await daemon.configuring.put_secret(*target, secret, actor))


@router.delete("/secrets/{name}", responses=problems(), status_code=204)
async def delete_secret(
    daemon: DaemonOf, actor: Actor, workspace: WorkspacePath, slug: SlugPath, name: SecretPath
) -> Response:
    """Take a secret away. Idempotent."""
    target = parse_workspace_id(workspace), parse_slug(slug), parse_secret_name(name)
    await daemon.configuring.delete_secret(*target, actor)
    return Response(status_code=204)
