"""The rows of the table of calls that are about plugins: their versions, and what they are given beside their code."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wsmgr.client.operation import LOADING_S, Operation, given, nothing, plugin_path, read_as, segment, workspace_path
from wsmgr.wire.names import Language
from wsmgr.wire.plugin import PluginResult, PluginSource, PluginVersionPage
from wsmgr.wire.settings import PluginConfig, SecretInfo, SecretPage, SecretsRotated

ROTATING_S = 600.0


def put_plugin(workspace_id: str, slug: str, *, language: Language, code: str) -> Operation[PluginResult]:
    """Store a version of a plugin of the workspace's owner, and bring it to a running workspace."""
    body = {"language": language, "code": code}
    return Operation("PUT", plugin_path(workspace_id, slug), read_as(PluginResult), body=body, timeout_s=LOADING_S)


def put_bundle(
    workspace_id: str,
    slug: str,
    *,
    archive: bytes,
    media: str,
    entry: str | None = None,
    language: Language | None = None,
    sent: Callable[[int], None] | None = None,
) -> Operation[PluginResult]:
    """The same for an archive of several files, of the type `application/gzip` or `application/zip`; `entry` and
    `language` where its manifest does not say them. `sent` is told how many bytes are on their way, from 0 on."""
    return Operation(
        "PUT",
        plugin_path(workspace_id, slug),
        read_as(PluginResult),
        query=given({"entry": entry, "language": language}),
        content=archive,
        media=media,
        sent=sent,
        timeout_s=2 * LOADING_S,
    )


def plugin_source(workspace_id: str, slug: str, version: str) -> Operation[PluginSource]:
    """One version with its files."""
    path = f"{plugin_path(workspace_id, slug)}/versions/{segment(version)}"
    return Operation("GET", path, read_as(PluginSource), timeout_s=LOADING_S)


def plugins(workspace_id: str) -> Operation[PluginVersionPage]:
    """The current version of each plugin, by slug."""
    return Operation("GET", f"{workspace_path(workspace_id)}/plugins", read_as(PluginVersionPage))


def plugin(workspace_id: str, slug: str) -> Operation[PluginVersionPage]:
    """All versions of one plugin, newest first."""
    return Operation("GET", plugin_path(workspace_id, slug), read_as(PluginVersionPage))


def delete_plugin(workspace_id: str, slug: str) -> Operation[None]:
    """Remove a plugin with its versions."""
    return Operation("DELETE", plugin_path(workspace_id, slug), nothing, timeout_s=LOADING_S)


def rollback(workspace_id: str, slug: str, *, version: str | None = None) -> Operation[PluginResult]:
    """Make an older version current; `version` None: the one before the current."""
    path = f"{plugin_path(workspace_id, slug)}/rollback"
    return Operation("POST", path, read_as(PluginResult), body=given({"version": version}), timeout_s=LOADING_S)


def plugin_config(workspace_id: str, slug: str) -> Operation[PluginConfig]:
    """The configuration of a plugin of the workspace's owner."""
    return Operation("GET", f"{plugin_path(workspace_id, slug)}/config", read_as(PluginConfig))


def put_plugin_config(workspace_id: str, slug: str, config: Mapping[str, object]) -> Operation[PluginConfig]:
    """Replace it."""
    path = f"{plugin_path(workspace_id, slug)}/config"
    body = {"config": dict(config)}
    return Operation("PUT", path, read_as(PluginConfig), body=body, timeout_s=LOADING_S)


def secrets(workspace_id: str, slug: str) -> Operation[SecretPage]:
    """The secrets of a plugin by name, without their values."""
    return Operation("GET", f"{plugin_path(workspace_id, slug)}/secrets", read_as(SecretPage))


def put_secret(workspace_id: str, slug: str, name: str, value: str) -> Operation[SecretInfo]:
    """Set a secret of a plugin. It cannot be read back."""
    path = f"{plugin_path(workspace_id, slug)}/secrets/{segment(name)}"
    return Operation("PUT", path, read_as(SecretInfo), body={"value": value}, timeout_s=LOADING_S)


def delete_secret(workspace_id: str, slug: str, name: str) -> Operation[None]:
    """Take a secret from a plugin. Idempotent."""
    path = f"{plugin_path(workspace_id, slug)}/secrets/{segment(name)}"
    return Operation("DELETE", path, nothing, timeout_s=LOADING_S)


def rotate_secrets() -> Operation[SecretsRotated]:
    """Seal all secrets of the daemon with a new key."""
    return Operation("POST", "/api/admin/secrets/rotate", read_as(SecretsRotated), timeout_s=ROTATING_S)
