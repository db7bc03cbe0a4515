"""One key of the vault: what is encrypted with it, and what is digested."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
FORMAT = b"\x01"
"""The first byte of everything that is sealed: how the rest is to be read."""
ID_BYTES = 8
_NONCE_BYTES = 12


class Key:
    """Sealed is: format, key's id, nonce, then AES-256-GCM's ciphertext with its tag. For each purpose a key of its
    own is derived."""

    __slots__ = ("_aead", "_mac", "_master", "id")

    def __init__(self, master: bytes) -> None:
        self._master = master
        self.id = self._derived(b"id", ID_BYTES)
        self._aead = AESGCM(self._derived(b"aes-256-gcm", KEY_BYTES))
        self._mac = self._derived(b"hmac-sha256", KEY_BYTES)

    def __repr__(self) -> str:
        return f"Key({self.id.hex()})"

    @classmethod
    def new(cls) -> Key:
        """A random one."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def master(self) -> bytes:
        """What is kept in the file."""
        return self._master

    def seal(self, plain: bytes, bound_to: bytes) -> bytes:
        """Encrypt, so that it opens only together with `bound_to`. Random nonces are good for 2^32 seals of one key."""
        nonce = os.urandom(_NONCE_BYTES)
        return FORMAT + self.id + nonce + self._aead.encrypt(nonce, plain, bound_to)

    def unseal(self, sealed: bytes, bound_to: bytes) -> bytes | None:
        """What `seal` was given; None when it is not of this key, of another place, or was changed."""
        start = len(FORMAT) + ID_BYTES
        nonce, text = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        try:
            return self._aead.decrypt(nonce, text, bound_to)
        except (InvalidTag, ValueError):
            return None

    def digest(self, text: bytes) -> str:
        """A keyed digest: who has not got the key cannot try texts on it."""
        return hmac.new(self._mac, text, hashlib.sha256).hexdigest()[:32]

    def _derived(self, purpose: bytes, length: int) -> bytes:
        return HKDF(SHA256(), length, salt=None, info=b"wsmgr secrets " + purpose).derive(self._master)


def id_of(sealed: bytes) -> bytes | None:
    """By which key something was sealed; None when it has another form."""
    end = len(FORMAT) + ID_BYTES
    return sealed[len(FORMAT) : end] if sealed[: len(FORMAT)] == FORMAT and len(sealed) > end else None
