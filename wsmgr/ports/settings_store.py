"""What plugins are given beside their code, as it is kept. The promises are those of `wsmgr.ports.store`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from wsmgr.core.ids import OwnerKey, Slug
from wsmgr.core.plugin_settings import StoredConfig, StoredSettings
from wsmgr.core.secret import SealedSecret, SecretName, SecretPlace


class SettingsStore(Protocol):
    """Configuration and secrets of plugins. They go with their plugin."""

    async def of_plugin(self, owner: OwnerKey, slug: Slug) -> StoredSettings | None:
        """What one plugin is given; None when there is no such plugin."""
        ...

    async def put_config(self, owner: OwnerKey, slug: Slug, config: StoredConfig) -> None:
        """Insert or replace. Raises NotFound when there is no such plugin."""
        ...

    async def put_secret(self, owner: OwnerKey, slug: Slug, secret: SealedSecret) -> None:
        """Insert or replace. Raises NotFound when there is no such plugin."""
        ...

    async def delete_secret(self, owner: OwnerKey, slug: Slug, name: SecretName) -> bool:
        """Remove one; False when there was none."""
        ...

    async def sealed_secrets(self, after: SecretPlace | None, limit: int) -> Sequence[tuple[SecretPlace, bytes]]:
        """Up to `limit` secrets of all plugins, by owner, slug and name, those behind `after`."""
        ...

    async def reseal(self, secrets: Sequence[tuple[SecretPlace, bytes, bytes]]) -> int:
        """Replace what is sealed (place, before, after), all or nothing, where it still is what it was. Returns how
        many were."""
        ...

    async def forget_secrets(self) -> int:
        """Remove all secrets of all plugins. Returns how many."""
        ...
