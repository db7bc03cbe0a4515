"""The part of the SQL store that keeps what plugins are given beside their code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from wsmgr.adapters.store import plugin_settings
from wsmgr.core.ids import OwnerKey, Slug
from wsmgr.core.plugin_settings import StoredConfig, StoredSettings
from wsmgr.core.secret import SealedSecret, SecretName, SecretPlace
from wsmgr.ports.settings_store import SettingsStore

Run = Callable[[Callable[[Connection], Any]], Awaitable[Any]]


class SqlSettings(SettingsStore):
    """`write` and `read` carry out work on the connections of the store that this is a part of."""

    def __init__(self, write: Run, read: Run) -> None:
        self._write = write
        self._read = read

    async def of_plugin(self, owner: OwnerKey, slug: Slug) -> StoredSettings | None:
        found: StoredSettings | None = await self._read(partial(plugin_settings.of_plugin, owner=owner, slug=slug))
        return found

    async def put_config(self, owner: OwnerKey, slug: Slug, config: StoredConfig) -> None:
        await self._write(partial(plugin_settings.put_config, owner=owner, slug=slug, config=config))

    async def put_secret(self, owner: OwnerKey, slug: Slug, secret: SealedSecret) -> None:
        await self._write(partial(plugin_settings.put_secret, owner=owner, slug=slug, secret=secret))

    async def delete_secret(self, owner: OwnerKey, slug: Slug, name: SecretName) -> bool:
        gone: bool = await self._write(partial(plugin_settings.delete_secret, owner=owner, slug=slug, name=name))
        return gone

    async def sealed_secrets(self, after: SecretPlace | None, limit: int) -> Sequence[tuple[SecretPlace, bytes]]:
        page = partial(plugin_settings.sealed_secrets, after=after, limit=limit)
        found: Sequence[tuple[SecretPlace, bytes]] = await self._read(page)
        return found

    async def reseal(self, secrets: Sequence[tuple[SecretPlace, bytes, bytes]]) -> int:
        count: int = await self._write(partial(plugin_settings.reseal, secrets=secrets))
        return count

    async def forget_secrets(self) -> int:
        count: int = await self._write(plugin_settings.forget_secrets)
        return count
