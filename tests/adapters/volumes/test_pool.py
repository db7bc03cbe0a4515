"""What the pool does where there are no volumes, or none that can be used. Real ones: tests/podman/data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from wsmgr.adapters.volumes import VolumePool
from wsmgr.adapters.volumes.place import reserve
from wsmgr.core.capability import Level
from wsmgr.core.errors import EngineFailure
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.volume import Mark

ALICE = Mark("one", WorkspaceId("user:alice"), 10_000)


async def nobody(command: Sequence[str], timeout_s: float) -> tuple[int, list[str]]:
    """A user namespace that cannot be entered."""
    del timeout_s
    return 125, [f"cannot run {command[0]}"]


@pytest.fixture
def pool(tmp_path: Path) -> VolumePool:
    """A directory with a mount point on which nothing is mounted, and something that is none."""
    (tmp_path / "v64-00").mkdir()
    (tmp_path / "Not A Volume").mkdir()
    return VolumePool(tmp_path, nobody)


async def test_a_mount_point_without_a_file_system_is_no_volume(pool: VolumePool, tmp_path: Path) -> None:
    """What would be written there would have no bound: it is in trouble, and nothing is made on it."""
    (one,) = await pool.list()
    assert (one.name, one.size_bytes, one.full) == ("v64-00", 0, False)
    assert one.trouble is not None
    assert "No file system is mounted" in one.trouble
    for failing in (pool.claim("v64-00", ALICE, 1), pool.hold("v64-00", 1), pool.wipe("v64-00")):
        with pytest.raises(EngineFailure, match="No file system is mounted"):
            await failing
    assert list((tmp_path / "v64-00").iterdir()) == []


async def test_the_proof_says_what_is_missing(pool: VolumePool, tmp_path: Path) -> None:
    """Nothing set, nothing there, nothing mounted: absent, with a mend."""
    for one, why in (
        (VolumePool(None, nobody), "no volumes"),
        (VolumePool(tmp_path / "not there", nobody), "no volumes"),
        (pool, "No file system is mounted"),
    ):
        proven = await one.prove()
        assert (proven.name, proven.level) == ("data", Level.ABSENT)
        assert why in proven.evidence
        assert "playbooks/site.yml" in (proven.mend or "")


async def test_a_pool_that_was_taken_away_is_an_error_and_no_crash() -> None:
    """The database names a volume, and the setting is gone."""
    pool = VolumePool(None, nobody)
    assert await pool.list() == []
    assert pool.source("v64-00").endswith("/v64-00/data")
    with pytest.raises(EngineFailure, match="data_dir"):
        await pool.claim("v64-00", ALICE, 1)


@pytest.mark.parametrize("name", ["..", "a/b", "", "v64-00/../v64-01"])
async def test_only_names_are_taken(pool: VolumePool, name: str) -> None:
    """They become part of paths that root of the namespace deletes."""
    with pytest.raises(EngineFailure, match="no name of a volume"):
        await pool.wipe(name)


@pytest.mark.parametrize(("before", "wanted", "available", "after"), [
    (0, 5_000, 10_000, 5_000),
    (9_000, 5_000, 10_000, 5_000),
    (0, 50_000, 10_000, 10_000),
    (9_000, 0, 10_000, 0),
])  # fmt: skip
def test_a_reserve_takes_what_is_asked_for_and_no_more_than_there_is(
    tmp_path: Path, before: int, wanted: int, available: int, after: int
) -> None:
    """Its room is really taken."""
    path = tmp_path / "reserve"
    path.write_bytes(bytes(before))
    with path.open("r+b") as file:
        reserve(file.fileno(), wanted, available)
    assert path.stat().st_size == after
    assert path.stat().st_blocks * 512 >= after
