"""A vault in memory that keeps the contract of `wsmgr.ports.vault` and encrypts nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from wsmgr.core.errors import SecretsUnavailable
from wsmgr.core.ids import OwnerKey, Slug
from wsmgr.core.secret import Secret, SecretName, SecretPlace
from wsmgr.ports.vault import Vault


class FakeVault(Vault):
    """`made` are the keys that are "in the file", the current one first; `lose` takes the file away, `break_off` fails
    the next method of that name."""

    def __init__(self) -> None:
        self.made: list[int] = []
        self._is_open = False
        self._serial = 0
        self._failures: dict[str, Exception] = {}

    def lose(self) -> None:
        """The file of the keys is gone."""
        self.made = []
        self._is_open = False

    def break_off(self, method: str, error: Exception) -> None:
        """Let the next call of `method` raise `error` and change nothing."""
        self._failures[method] = error

    @property
    def keys(self) -> int:
        return len(self.made)

    async def open(self, *, needed: bool) -> None:
        self._called("open")
        if not self.made and needed:
            raise SecretsUnavailable("The keys are missing.")
        self.made = self.made or [self._next()]
        self._is_open = True

    def seal(self, place: SecretPlace, secret: Secret) -> bytes:
        self._called("seal")
        key = self._current()
        return json.dumps([key, self._next(), place.owner, place.slug, place.name, secret.reveal()]).encode()

    def unseal(self, place: SecretPlace, sealed: bytes) -> Secret:
        self._called("unseal")
        self._current()
        try:
            key, _, owner, slug, name, text = json.loads(sealed)
        except ValueError:
            raise SecretsUnavailable("This was changed.") from None
        if key not in self.made or (owner, slug, name) != (place.owner, place.slug, place.name):
            raise SecretsUnavailable("This was sealed with another key, or for another place.")
        return Secret(text)

    def is_current(self, sealed: bytes) -> bool:
        return bool(json.loads(sealed)[0] == self._current())

    def revision(
        self, owner: OwnerKey, slug: Slug, config: Mapping[str, object], secrets: Mapping[SecretName, Secret]
    ) -> str:
        revealed = {name: secret.reveal() for name, secret in secrets.items()}
        text = json.dumps([self._current(), owner, slug, config, revealed], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    async def add_key(self) -> None:
        self._called("add_key")
        self._current()
        self.made.insert(0, self._next())

    async def retire_keys(self) -> None:
        self._called("retire_keys")
        self._current()
        del self.made[1:]

    def _current(self) -> int:
        if not self._is_open:
            raise SecretsUnavailable("The keys are not read yet.")
        return self.made[0]

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _called(self, method: str) -> None:
        if method in self._failures:
            raise self._failures.pop(method)
