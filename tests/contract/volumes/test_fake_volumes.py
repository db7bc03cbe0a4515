"""The fake is under the contract too. The real ones need volumes that root has made: tests/podman/data."""

from __future__ import annotations

import pytest

from tests.contract.volumes.body import *  # noqa: F403  # the tests
from tests.contract.volumes.body import Rig
from tests.fakes.volumes import FakeVolumes


@pytest.fixture
def volumes() -> Rig:
    """Two volumes in memory."""
    fake = FakeVolumes({"one": 64, "two": 64})
    return Rig(fake, "one", "two", fake.write)
