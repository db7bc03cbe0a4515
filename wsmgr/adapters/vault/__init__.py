"""The vault of the secrets, with its keys in a file."""

from __future__ import annotations

from wsmgr.adapters.vault.vault import FileVault

__all__ = ["FileVault"]
