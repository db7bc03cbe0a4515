"""The part of the fake store that keeps what plugins are given beside their code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from wsmgr.core.errors import NotFound
from wsmgr.core.ids import OwnerKey, Slug
from wsmgr.core.plugin_settings import StoredConfig, StoredSettings
from wsmgr.core.secret import SealedSecret, SecretName, SecretPlace
from wsmgr.ports.settings_store import SettingsStore


class FakeSettings(SettingsStore):
    """`called` is told of every method, and fails those that a test wants to fail; `has` knows which plugins there
    are."""

    def __init__(self, called: Callable[[str], None], has: Callable[[OwnerKey, Slug], bool]) -> None:
        self._called = called
        self._has = has
        self._configs: dict[tuple[OwnerKey, Slug], StoredConfig] = {}
        self._secrets: dict[SecretPlace, SealedSecret] = {}

    def forget_plugin(self, owner: OwnerKey, slug: Slug) -> None:
        """The plugin is deleted."""
        self._configs.pop((owner, slug), None)
        self._secrets = {at: one for at, one in self._secrets.items() if (at.owner, at.slug) != (owner, slug)}

    async def of_plugin(self, owner: OwnerKey, slug: Slug) -> StoredSettings | None:
        self._called("of_plugin")
        if not self._has(owner, slug):
            return None
        mine = [at for at in self._secrets if (at.owner, at.slug) == (owner, slug)]
        secrets = tuple(self._secrets[at] for at in sorted(mine, key=lambda at: at.name))
        return StoredSettings(self._configs.get((owner, slug)), secrets)

    async def put_config(self, owner: OwnerKey, slug: Slug, config: StoredConfig) -> None:
        self._called("put_config")
        self._check(owner, slug)
        self._configs[owner, slug] = config

    async def put_secret(self, owner: OwnerKey, slug: Slug, secret: SealedSecret) -> None:
        self._called("put_secret")
        self._check(owner, slug)
        self._secrets[SecretPlace(owner, slug, secret.info.name)] = secret

    async def delete_secret(self, owner: OwnerKey, slug: Slug, name: SecretName) -> bool:
        self._called("delete_secret")
        return self._secrets.pop(SecretPlace(owner, slug, name), None) is not None

    async def sealed_secrets(self, after: SecretPlace | None, limit: int) -> Sequence[tuple[SecretPlace, bytes]]:
        self._called("sealed_secrets")
        places = sorted(self._secrets, key=_order)
        behind = [at for at in places if after is None or _order(at) > _order(after)]
        return [(at, self._secrets[at].sealed) for at in behind[:limit]]

    async def reseal(self, secrets: Sequence[tuple[SecretPlace, bytes, bytes]]) -> int:
        self._called("reseal")
        same = [(at, after) for at, before, after in secrets if at in self._secrets and before == self._sealed(at)]
        for at, after in same:
            self._secrets[at] = replace(self._secrets[at], sealed=after)
        return len(same)

    async def forget_secrets(self) -> int:
        self._called("forget_secrets")
        count = len(self._secrets)
        self._secrets.clear()
        return count

    def _sealed(self, at: SecretPlace) -> bytes:
        return self._secrets[at].sealed

    def _check(self, owner: OwnerKey, slug: Slug) -> None:
        if not self._has(owner, slug):
            raise NotFound(f"{owner!r} has no plugin {slug!r}.")


def _order(at: SecretPlace) -> tuple[str, str, str]:
    return at.owner, at.slug, at.name
