"""What plugins are given beside their code, ready to be sent: read from the store, opened by the vault, remembered."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from wsmgr.core.ids import OwnerKey, Slug
from wsmgr.core.masking import Mask
from wsmgr.core.plugin_settings import NO_SETTINGS, PluginSettings, StoredSettings
from wsmgr.core.secret import Secret, SecretName, SecretPlace
from wsmgr.ports.settings_store import SettingsStore
from wsmgr.ports.vault import Vault

REMEMBERED = 10_000
REMEMBERED_BYTES = 16 * 1024 * 1024


class Configuration:
    """What it remembers stays true, because `forget` is called by the only ones who change it: `Configuring`, and
    `Plugins` when one is deleted."""

    def __init__(self, store: SettingsStore, vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self._known: OrderedDict[tuple[OwnerKey, Slug], tuple[PluginSettings, int]] = OrderedDict()
        self._bytes = 0
        self._changes = 0

    async def of(self, owner: OwnerKey, slug: Slug) -> PluginSettings:
        """The settings of a plugin, those of one that does not exist are empty. Raises SecretsUnavailable."""
        while (known := self._known.get((owner, slug))) is None:
            changes = self._changes
            stored = await self._store.of_plugin(owner, slug)
            if changes == self._changes:
                # What was changed meanwhile may be missing in it.
                settings, size = self._opened(owner, slug, stored)
                self._remember(owner, slug, settings, size)
                return settings
        return known[0]

    def forget(self, owner: OwnerKey, slug: Slug) -> None:
        """They were changed, or may have been."""
        self._changes += 1
        _, size = self._known.pop((owner, slug), (None, 0))
        self._bytes -= size

    def _opened(self, owner: OwnerKey, slug: Slug, stored: StoredSettings | None) -> tuple[PluginSettings, int]:
        config: Mapping[str, object] = stored.config.config if stored is not None and stored.config else {}
        secrets: dict[SecretName, Secret] = {}
        for one in stored.secrets if stored is not None else ():
            secrets[one.info.name] = self._vault.unseal(SecretPlace(owner, slug, one.info.name), one.sealed)
        if not config and not secrets:
            return NO_SETTINGS, 0
        revision = self._vault.revision(owner, slug, config, secrets)
        size = len(str(config)) + sum(len(secret.reveal()) for secret in secrets.values())
        return PluginSettings(config, secrets, revision, Mask(secrets.values())), size

    def _remember(self, owner: OwnerKey, slug: Slug, settings: PluginSettings, size: int) -> None:
        self._known[owner, slug] = settings, size
        self._bytes += size
        while len(self._known) > REMEMBERED or (self._bytes > REMEMBERED_BYTES and len(self._known) > 1):
            _, (_, gone) = self._known.popitem(last=False)
            self._bytes -= gone
