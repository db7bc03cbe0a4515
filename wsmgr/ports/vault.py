"""Seals secrets with keys that are not in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from wsmgr.core.ids import OwnerKey, Slug
from wsmgr.core.secret import Secret, SecretName, SecretPlace


class Vault(Protocol):
    """Every method but `open` wants an open vault. Raises SecretsUnavailable alone; no sentence holds a value or a
    key."""

    async def open(self, *, needed: bool) -> None:
        """Read the keys. Where there are none, make the first one; if `needed` (something is sealed already) refuse
        instead. Refuses keys that others could read."""
        ...

    def seal(self, place: SecretPlace, secret: Secret) -> bytes:
        """Encrypt with the current key, bound to the place. The same secret again gives other bytes."""
        ...

    def unseal(self, place: SecretPlace, sealed: bytes) -> Secret:
        """What was sealed for that very place, with any key that is still held."""
        ...

    def is_current(self, sealed: bytes) -> bool:
        """Whether it was sealed with the current key."""
        ...

    def revision(
        self, owner: OwnerKey, slug: Slug, config: Mapping[str, object], secrets: Mapping[SecretName, Secret]
    ) -> str:
        """A digest of a plugin's settings, of at most 64 letters and digits: equal for equal settings of that plugin,
        and of no use to anybody who has not got the key."""
        ...

    @property
    def keys(self) -> int:
        """How many keys are held: more than one while a rotation is under way."""
        ...

    async def add_key(self) -> None:
        """Make a new key the current one, and keep the others. Durable when it returns."""
        ...

    async def retire_keys(self) -> None:
        """Forget all keys but the current one. Durable when it returns."""
        ...
