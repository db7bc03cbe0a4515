"""Changes what plugins are given beside their code, and the keys that secrets are sealed with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.configuration import Configuration
from wsmgr.control.plugins import Plugins
from wsmgr.core.errors import InvalidRequest, NotFound, QuotaExceeded
from wsmgr.core.ids import OwnerKey, Slug, WorkspaceId, owner_of
from wsmgr.core.plugin_settings import StoredConfig, StoredSettings
from wsmgr.core.secret import SealedSecret, Secret, SecretInfo, SecretName, SecretPlace
from wsmgr.ports.clock import Clock
from wsmgr.ports.settings_store import SettingsStore
from wsmgr.ports.vault import Vault

RESEALED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class SettingsCaps:
    """The most that one plugin may be given. Sizes are of UTF-8; that of a configuration is of its JSON."""

    config_bytes: int
    secrets: int
    secret_bytes: int


class Configuring:
    """The only writer. Once a method has returned no call that starts gets what was there before."""

    def __init__(
        self,
        store: SettingsStore,
        vault: Vault,
        configuration: Configuration,
        plugins: Plugins,
        clock: Clock,
        audit: Audit,
        caps: SettingsCaps,
    ) -> None:
        self._store = store
        self._vault = vault
        self._configuration = configuration
        self._plugins = plugins
        self._clock = clock
        self._audit = audit
        self._caps = caps
        self._one_at_a_time = asyncio.Lock()

    async def open(self) -> None:
        """Read the keys, and finish a rotation that was cut short. Raises SecretsUnavailable, StoreUnavailable."""
        await self._vault.open(needed=bool(await self._store.sealed_secrets(None, 1)))
        if self._vault.keys > 1:
            async with self._one_at_a_time:
                resealed = await self._reseal()
            await self._audit.say(DAEMON, "secrets.rotated", f"Finished: {resealed} secrets sealed anew.")

    async def config(self, workspace: WorkspaceId, slug: Slug) -> StoredConfig | None:
        """The configuration of a plugin; None: none was ever put. Raises NotFound."""
        return (await self._stored(owner_of(workspace), slug)).config

    async def secrets(self, workspace: WorkspaceId, slug: Slug) -> list[SecretInfo]:
        """The secrets of a plugin by name, without their values. Raises NotFound."""
        return [one.info for one in (await self._stored(owner_of(workspace), slug)).secrets]

    async def put_config(
        self, workspace: WorkspaceId, slug: Slug, config: Mapping[str, object], actor: str
    ) -> StoredConfig:
        """Replace the configuration of a plugin. Raises NotFound, InvalidRequest."""
        self._check_config(config)
        owner = owner_of(workspace)
        stored = StoredConfig(config, self._clock.now(), actor)
        async with self._one_at_a_time:
            try:
                await self._store.put_config(owner, slug, stored)
            finally:
                self._configuration.forget(owner, slug)
        await self._audit.say(actor, "plugin.config", f"{slug}: configuration replaced", workspace)
        await self._plugins.refresh(owner, slug)
        return stored

    async def put_secret(
        self, workspace: WorkspaceId, slug: Slug, name: SecretName, secret: Secret, actor: str
    ) -> SecretInfo:
        """Set one secret of a plugin. Raises NotFound, InvalidRequest, QuotaExceeded."""
        self._check_secret(name, secret)
        owner = owner_of(workspace)
        info = SecretInfo(name, self._clock.now(), actor)
        async with self._one_at_a_time:
            self._check_count(await self._stored(owner, slug), slug, name)
            sealed = self._vault.seal(SecretPlace(owner, slug, name), secret)
            try:
                await self._store.put_secret(owner, slug, SealedSecret(info, sealed))
            finally:
                self._configuration.forget(owner, slug)
        await self._audit.say(actor, "plugin.secret_set", f"{slug}: {name}", workspace)
        await self._plugins.refresh(owner, slug)
        return info

    async def delete_secret(self, workspace: WorkspaceId, slug: Slug, name: SecretName, actor: str) -> None:
        """Take one secret from a plugin. Idempotent."""
        owner = owner_of(workspace)
        async with self._one_at_a_time:
            try:
                existed = await self._store.delete_secret(owner, slug, name)
            finally:
                self._configuration.forget(owner, slug)
        if existed:
            await self._audit.say(actor, "plugin.secret_removed", f"{slug}: {name}", workspace)
            await self._plugins.refresh(owner, slug)

    async def rotate(self, actor: str) -> int:
        """Seal all secrets with a new key and forget the old ones; how many there were. The file holds both until the
        last one is sealed anew, so that a crash loses nothing and the next start goes on. Raises SecretsUnavailable."""
        async with self._one_at_a_time:
            await self._vault.add_key()
            resealed = await self._reseal()
        await self._audit.say(actor, "secrets.rotated", f"{resealed} secrets sealed anew.")
        return resealed

    async def _reseal(self) -> int:
        count, after = 0, None
        while page := await self._store.sealed_secrets(after, RESEALED_AT_ONCE):
            stale = [(place, sealed) for place, sealed in page if not self._vault.is_current(sealed)]
            count += await self._store.reseal(
                [(at, before, self._vault.seal(at, self._vault.unseal(at, before))) for at, before in stale]
            )
            after = page[-1][0]
        await self._vault.retire_keys()
        return count

    async def _stored(self, owner: OwnerKey, slug: Slug) -> StoredSettings:
        stored = await self._store.of_plugin(owner, slug)
        if stored is None:
            raise NotFound(f"{owner!r} has no plugin {slug!r}. Put it before its configuration and secrets.")
        return stored

    def _check_config(self, config: Mapping[str, object]) -> None:
        try:
            size = len(orjson.dumps(dict(config)))
        except orjson.JSONEncodeError as error:
            raise InvalidRequest(f"The configuration cannot be written as JSON: {error}.") from None
        if size > self._caps.config_bytes:
            raise InvalidRequest(
                f"The configuration has {size} bytes as JSON; {self._caps.config_bytes} are allowed.",
                details={"limit": self._caps.config_bytes, "size": size},
            )

    def _check_secret(self, name: SecretName, secret: Secret) -> None:
        size = len(secret.reveal().encode())
        if not 0 < size <= self._caps.secret_bytes:
            raise InvalidRequest(
                f"The value of {name} has {size} bytes; a secret has 1 to {self._caps.secret_bytes}.",
                details={"limit": self._caps.secret_bytes, "size": size},
            )

    def _check_count(self, stored: StoredSettings, slug: Slug, name: SecretName) -> None:
        names = {one.info.name for one in stored.secrets}
        if name not in names and len(names) >= self._caps.secrets:
            raise QuotaExceeded(
                f"The plugin {slug!r} has {len(names)} secrets, as many as one may have. Remove one first.",
                details={"limit": "secretsPerPlugin", "allowed": self._caps.secrets, "used": len(names)},
                retryable=False,
            )
