"""What is answered when somebody asks what a workspace used."""

from __future__ import annotations

import asyncio

import pytest

from tests.control.usage_rig import ALICE, STALL, minute, owned, run, series, sweeps, values
from tests.fakes.daemon import FakeDaemon
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.ids import OwnerKey, WorkspaceId

RANGES = [900, 3600, 6 * 3600, 24 * 3600]


async def busy_for(system: FakeDaemon, seconds: float) -> None:
    """Keep it from being stopped, with a little work now and then."""
    for _ in range(int(seconds // 60)):
        system.daemon.fleet.touch(system.daemon.fleet.get(WorkspaceId(ALICE)))
        system.meter.spend(system.instance(), cpu_s=0.6)
        await asyncio.sleep(60)


@pytest.mark.parametrize("range_s", RANGES)
@pytest.mark.parametrize("most", [1, 7, 240, 2000])
async def test_there_are_at_most_so_many_points(system: FakeDaemon, range_s: int, most: int) -> None:
    """Oldest first, on a grid, up to now; also of the minute that is not stored yet."""
    await run(system, ALICE)
    await busy_for(system, 120)
    await sweeps(system, 3)
    found = await series(system, range_s, most)
    at = [bucket.point.at for bucket in found.buckets]
    assert 1 <= len(at) <= found.window.count <= most
    assert at == sorted(at)
    assert all(one % found.window.step_s == 0 for one in at)
    assert found.window.end >= system.daemon.clock.now().timestamp() - 5
    assert at[-1] == found.window.end - found.window.step_s


async def test_a_quarter_of_an_hour_has_every_sample(system: FakeDaemon) -> None:
    """Of 5 s each, and no gap."""
    await run(system, ALICE)
    await busy_for(system, 1200)
    found = await series(system, 900)
    assert (len(found.buckets), found.window.step_s) == (180, 5)
    assert not any(bucket.gap_after for bucket in found.buckets)
    assert sum(1 for value in values(found, "cpu_percent") if value) == pytest.approx(15, abs=1)


async def test_hours_come_from_minutes_without_a_seam(system: FakeDaemon) -> None:
    """Those of the store and those that are still in memory make one line: the same use in every minute."""
    await run(system, ALICE)
    await minute(system)
    await busy_for(system, 1800)
    await sweeps(system, 5)
    found = await series(system, 3600)
    assert not any(bucket.gap_after for bucket in found.buckets)
    used = values(found, "cpu_percent")
    assert len(used) == pytest.approx(32, abs=1)
    assert used[2:-2] == [pytest.approx(1.0, rel=STALL)] * (len(used) - 4)


async def test_a_time_in_which_it_did_not_run_is_a_gap(system: FakeDaemon) -> None:
    """In samples and in minutes."""
    await run(system, ALICE)
    await minute(system)
    await system.daemon.workspaces.stop(WorkspaceId(ALICE), "uid:0", 10)
    await asyncio.sleep(300)
    await run(system, ALICE)
    await sweeps(system, 3)
    for range_s in (900, 3600):
        gaps = [bucket.gap_after for bucket in (await series(system, range_s)).buckets]
        assert gaps.count(True) == 1
        assert not gaps[-1]


async def test_a_workspace_that_was_never_there_has_no_points(system: FakeDaemon) -> None:
    """In any range, and its owner used nothing."""
    for range_s in RANGES:
        assert (await series(system, range_s, workspace="user:nobody")).buckets == []
    assert await system.daemon.usage.of_owner(OwnerKey("user:nobody")) is None


async def test_all_workspaces_of_an_owner_are_added_up(system: FakeDaemon) -> None:
    """Processor seconds, memory by time, and calls."""
    await run(system, ALICE, "user:alice~two")
    await sweeps(system, 2)
    system.meter.spend(system.instance(), cpu_s=1.0)
    system.meter.spend(system.instance("user:alice~two"), cpu_s=2.0)
    await system.execute()
    await sweeps(system, 2)
    share = await owned(system)
    assert (share.cpu_s, share.executions) == (3.0, 1)
    # Both held 28 MiB for three periods at the least: the first sample of the daemon has no time.
    assert share.memory_mb_s == pytest.approx(2 * 28 * 15, rel=STALL)


async def test_a_database_that_is_away_is_said(system: FakeDaemon) -> None:
    """Minutes cannot be told without it; samples can."""
    await run(system, ALICE)
    await sweeps(system)
    system.store.fail_next("usage_points", StoreUnavailable("asked for"))
    with pytest.raises(StoreUnavailable):
        await series(system, 3600)
    assert len((await series(system, 900)).buckets) == 1
