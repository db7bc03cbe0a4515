"""The contract of volumes, on real file systems of a fixed size."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.volumes.body import *  # noqa: F403  # the tests
from tests.contract.volumes.body import Rig
from wsmgr.adapters.podman.program import InUserNamespace, Program
from wsmgr.adapters.volumes import VolumePool

_WRITE = 'if [ "$2" = 0 ]; then rm -f "$1"; else head -c "$2" /dev/zero > "$1"; fi'


@pytest.fixture(name="volumes")
async def two_volumes(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    """Two that are free, and are free again afterwards."""
    root: Path = request.getfixturevalue("pool_root")
    pool = VolumePool(root, InUserNamespace(Program()).run)
    one, two, *_ = (volume.name for volume in await pool.list() if volume.mark is None)

    def write(name: str, size: int) -> None:
        path = f"{pool.source(name)}/file"
        done = subprocess.run(
            ["podman", "unshare", "sh", "-c", _WRITE, "sh", path, str(size)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        if done.returncode:
            raise OSError(28, done.stderr)

    yield Rig(pool, one, two, write)
    await asyncio.gather(pool.wipe(one), pool.wipe(two))
