"""The rows of the table of calls that are about what a plugin is given beside its code."""

from __future__ import annotations

from collections.abc import Mapping

from wsmgr.client.operation import Operation, segment
from wsmgr.wire.settings import PluginConfig, SecretInfo, SecretPage, SecretsRotated

LOADING_S = 60.0
"""How long a change may take that running workspaces load at once."""

ROTATING_S = 600.0


def plugin_config(workspace_id: str, slug: str) -> Operation[PluginConfig]:
    """The configuration of a plugin of the workspace's owner."""
    return Operation("GET", f"{_plugin(workspace_id, slug)}/config", PluginConfig.model_validate_json)


def put_plugin_config(workspace_id: str, slug: str, config: Mapping[str, object]) -> Operation[PluginConfig]:
    """Replace it."""
    path = f"{_plugin(workspace_id, slug)}/config"
    body = {"config": dict(config)}
    return Operation("PUT", path, PluginConfig.model_validate_json, body=body, timeout_s=LOADING_S)


def secrets(workspace_id: str, slug: str) -> Operation[SecretPage]:
    """The secrets of a plugin by name, without their values."""
    return Operation("GET", f"{_plugin(workspace_id, slug)}/secrets", SecretPage.model_validate_json)


def put_secret(workspace_id: str, slug: str, name: str, value: str) -> Operation[SecretInfo]:
    """Set a secret of a plugin. It cannot be read back."""
    path = f"{_plugin(workspace_id, slug)}/secrets/{segment(name)}"
    return Operation("PUT", path, SecretInfo.model_validate_json, body={"value": value}, timeout_s=LOADING_S)


def delete_secret(workspace_id: str, slug: str, name: str) -> Operation[None]:
    """Take a secret from a plugin. Idempotent."""
    path = f"{_plugin(workspace_id, slug)}/secrets/{segment(name)}"
    return Operation("DELETE", path, _nothing, timeout_s=LOADING_S)


def rotate_secrets() -> Operation[SecretsRotated]:
    """Seal all secrets of the daemon with a new key."""
    return Operation("POST", "/api/admin/secrets/rotate", SecretsRotated.model_validate_json, timeout_s=ROTATING_S)


def _plugin(workspace_id: str, slug: str) -> str:
    return f"/api/workspaces/{segment(workspace_id)}/plugins/{segment(slug)}"


def _nothing(body: bytes) -> None:
    """An answer whose body says nothing more than its status."""
    del body
