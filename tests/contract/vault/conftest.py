"""The vaults: the fake one, and the one with its keys in a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.vault import FakeVault
from wsmgr.adapters.vault import FileVault
from wsmgr.ports.vault import Vault


@dataclass(frozen=True)
class Rig:
    """`again` is a vault of another process on the same keys; `lose` takes the keys away."""

    vault: Vault
    again: Callable[[], Vault]
    lose: Callable[[], None]


@pytest.fixture(params=["fake", "file"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    """One of each kind, not open."""
    if request.param == "fake":
        fake = FakeVault()
        return Rig(fake, lambda: fake, fake.lose)
    path = tmp_path / "secrets.keys"
    return Rig(FileVault(path), lambda: FileVault(path), path.unlink)
