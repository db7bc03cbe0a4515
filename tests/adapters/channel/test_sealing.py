"""What is sealed opens for its key, its plugin and its version, and for nothing else."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wsmgr.adapters.channel.sealing import KEY_BYTES, Seal, new_key

SECRETS = {"API_KEY": "wörth a lot", "B": ""}


def _opened(sealed: str, key: bytes, bound_to: str) -> dict[str, str]:
    raw = base64.b64decode(sealed)
    opened: dict[str, str] = json.loads(AESGCM(key).decrypt(raw[:12], raw[12:], bound_to.encode()))
    return opened


def test_it_opens_for_its_plugin_and_version() -> None:
    """As JSON."""
    key = new_key()
    assert len(key) == KEY_BYTES
    assert _opened(Seal(key).secrets(SECRETS, "slug", "v1"), key, "slug\nv1") == SECRETS


def test_it_opens_for_nothing_else() -> None:
    """Another key, plugin or version; and no two seals are alike."""
    key = new_key()
    seal = Seal(key)
    sealed = seal.secrets(SECRETS, "slug", "v1")
    for other_key, bound_to in [(new_key(), "slug\nv1"), (key, "slug\nv2"), (key, "other\nv1")]:
        with pytest.raises(InvalidTag):
            _opened(sealed, other_key, bound_to)
    assert seal.secrets(SECRETS, "slug", "v1") != sealed
    assert "wörth" not in base64.b64decode(sealed).decode("latin-1")
