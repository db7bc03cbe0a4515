"""The vault: seals with the first key of a file, opens with any of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from wsmgr.adapters.vault import keyfile
from wsmgr.adapters.vault.key import Key, id_of
from wsmgr.core.errors import SecretsUnavailable
from wsmgr.core.ids import OwnerKey, Slug
from wsmgr.core.secret import Secret, SecretName, SecretPlace
from wsmgr.ports.vault import Vault

R = TypeVar("R")

FILE_S = 10.0
"""How long the disk may take for the file."""


class FileVault(Vault):
    """`path`: the file of the keys."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: list[Key] = []

    @property
    def keys(self) -> int:
        return len(self._held)

    async def open(self, *, needed: bool) -> None:
        found = await self._on_disk(lambda: keyfile.read(self._path))
        if found is None and needed:
            raise SecretsUnavailable(
                f"The key file {self._path} is missing, and secrets in the database are sealed with its key. Put back "
                "its copy (WSMGR_SECRETS_KEY_FILE says where it is); if there is none, `wsmgr secrets forget` removes "
                "them all, to be set again.",
                details={"file": str(self._path)},
            )
        self._held = await self._on_disk(self._first) if found is None else found

    def seal(self, place: SecretPlace, secret: Secret) -> bytes:
        return self._current.seal(secret.reveal().encode(), _bound(place))

    def unseal(self, place: SecretPlace, sealed: bytes) -> Secret:
        identifier = id_of(sealed)
        key = next((key for key in self._held if key.id == identifier), None)
        if key is None:
            raise SecretsUnavailable(
                f"The secret {place.name} of {place.slug} ({place.owner}) was sealed with a key that is not in "
                f"{self._path}. Put back the copy of the file that belongs to this database, or set the secret again."
            )
        plain = key.unseal(sealed, _bound(place))
        if plain is None:
            raise SecretsUnavailable(
                f"The secret {place.name} of {place.slug} ({place.owner}) is not what was sealed for it: its row was "
                "changed or moved. Set it again, or put back a copy of the database."
            )
        return Secret(plain.decode())

    def is_current(self, sealed: bytes) -> bool:
        return id_of(sealed) == self._current.id

    def revision(
        self, owner: OwnerKey, slug: Slug, config: Mapping[str, object], secrets: Mapping[SecretName, Secret]
    ) -> str:
        revealed = {name: secret.reveal() for name, secret in secrets.items()}
        text = json.dumps([owner, slug, config, revealed], sort_keys=True, separators=(",", ":"))
        return self._current.digest(text.encode())

    async def add_key(self) -> None:
        keys = [Key.new(), *self._held]
        await self._on_disk(lambda: keyfile.replace(self._path, keys))
        self._held = keys

    async def retire_keys(self) -> None:
        keys = self._held[:1]
        await self._on_disk(lambda: keyfile.replace(self._path, keys))
        self._held = keys

    @property
    def _current(self) -> Key:
        if not self._held:
            raise SecretsUnavailable("The keys of the secrets are not read yet.")
        return self._held[0]

    def _first(self) -> list[Key]:
        keys = [Key.new()]
        if keyfile.create(self._path, keys):
            return keys
        # Somebody was faster.
        return keyfile.read(self._path) or []

    async def _on_disk(self, work: Callable[[], R]) -> R:
        try:
            async with asyncio.timeout(FILE_S):
                return await asyncio.to_thread(work)
        except TimeoutError:
            raise SecretsUnavailable(f"The disk of the key file {self._path} did not answer in time.") from None


def _bound(place: SecretPlace) -> bytes:
    """None of the three can hold a NUL."""
    return f"wsmgr secret\0{place.owner}\0{place.slug}\0{place.name}".encode()
