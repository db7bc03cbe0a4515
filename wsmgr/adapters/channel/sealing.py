"""Seals what only a runtime's main thread may read.

Descriptors belong to a process: a plugin in a thread of Node that guesses the number of the daemon's connection can
read what comes there. So a workspace's runtime gets a key before it gets its first plugin, and secrets go sealed with
it.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12


class Seal:
    """AES-256-GCM with the key of one instance of a runtime. Random nonces are good for 2^32 seals."""

    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def secrets(self, values: Mapping[str, str], slug: str, version: str) -> str:
        """Secrets by name, for this version of this plugin alone: base64 of nonce, ciphertext, tag."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._aead.encrypt(nonce, orjson.dumps(values), f"{slug}\n{version}".encode())
        return base64.b64encode(nonce + sealed).decode()


def new_key() -> bytes:
    """A random one."""
    return os.urandom(KEY_BYTES)
