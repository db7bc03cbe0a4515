"""A point a minute in the store, and totals that are right after whatever happens."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog

from tests.control.usage_rig import ALICE, BOB, OWNER, STALL, minute, now, owned, run, series, sweeps, values
from tests.fakes.clock import LoopClock
from tests.fakes.daemon import FakeDaemon
from wsmgr.control.rollup import MINUTE_S
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.series import Point
from wsmgr.core.usage import GAUGES, Share

CPU = GAUGES.index("cpu_percent")


async def stored(system: FakeDaemon, workspace: str = ALICE) -> list[Point]:
    """The points of a workspace."""
    return list(await system.store.usage_points(WorkspaceId(workspace), 0))


async def stored_total(system: FakeDaemon) -> Share:
    """What the store says that Alice used."""
    (total,) = await system.store.owner_totals([OWNER])
    return total.share


async def test_each_minute_is_one_write_for_all(system: FakeDaemon) -> None:
    """With the least, the mean and the most of its samples."""
    await run(system, ALICE, BOB)
    await minute(system)
    writes = system.store.calls.count("put_usage")
    await asyncio.sleep(20)
    system.meter.spend(system.instance(), cpu_s=5.0)
    await minute(system)
    assert system.store.calls.count("put_usage") == writes + 1
    last, bobs = (await stored(system))[-1], (await stored(system, BOB))[-1]
    assert (last.samples, last.at % MINUTE_S) == (12, 0)
    spread = last.spreads[CPU]
    assert spread is not None
    assert spread.min == 0.0
    assert spread.max == pytest.approx(100.0, rel=STALL)
    assert spread.avg == pytest.approx(100 / 12, rel=STALL)
    idle = bobs.spreads[CPU]
    assert idle is not None
    assert idle.max == 0.0


async def test_who_does_not_run_has_no_points(system: FakeDaemon) -> None:
    """A gap, not a row of nothing."""
    await run(system, ALICE)
    await minute(system)
    await system.daemon.workspaces.stop(WorkspaceId(ALICE), "uid:0", 10)
    await minute(system)
    before = len(await stored(system))
    await minute(system)
    await minute(system)
    assert len(await stored(system)) == before


async def test_a_database_that_is_away_gets_all_of_it_later(system: FakeDaemon) -> None:
    """Minutes and totals, each once, also when a write was made whose confirmation was lost."""
    await run(system, ALICE)
    await minute(system)
    begun = len(await stored(system))
    for _ in range(3):
        system.store.fail_next("put_usage", StoreUnavailable("asked for"))
    for _ in range(3):
        system.meter.spend(system.instance(), cpu_s=1.0)
        await minute(system)
        assert len(await stored(system)) == begun
    assert (await owned(system)).cpu_s == 3.0
    await minute(system)
    points = await stored(system)
    assert len(points) == begun + 4
    assert [b.at - a.at for a, b in zip(points[begun:], points[begun + 1 :], strict=False)] == [MINUTE_S] * 3
    assert (await stored_total(system)).cpu_s == 3.0


async def test_what_is_lost_is_only_what_memory_does_not_hold(system: FakeDaemon) -> None:
    """After half an hour without a database the last quarter is stored, and the totals are whole."""
    await run(system, ALICE)
    await minute(system)
    for _ in range(30):
        system.store.fail_next("put_usage", StoreUnavailable("asked for"))
        # Its plan would stop it.
        system.daemon.fleet.touch(system.daemon.fleet.get(WorkspaceId(ALICE)))
        system.meter.spend(system.instance(), network_in_bytes=10)
        await minute(system)
    with structlog.testing.capture_logs() as logged:
        await minute(system)
    assert any(line["event"].startswith("usage was lost") for line in logged)
    points = await stored(system)
    assert len(points) == pytest.approx(1 + 15, abs=1)
    assert (await stored_total(system)).network_in_bytes == 300


async def test_totals_are_right_across_daemons(system: FakeDaemon, tmp_path: Path) -> None:
    """One that ends, one that is killed in the middle of a minute: nothing twice, and of runs only that minute's."""
    await run(system, ALICE)
    await system.execute()
    system.meter.spend(system.instance(), cpu_s=4.0, network_in_bytes=100)
    await minute(system)
    await system.stop(keep=True)
    second = FakeDaemon(tmp_path / "second")
    second.adopt_world_of(system)
    await second.start()
    second.meter.spend(second.instance(), cpu_s=1.0, network_in_bytes=10)
    await sweeps(second, 2)
    assert (await owned(second)).cpu_s == 5.0
    assert now(second).network_in_bytes == 110
    await second.crash()
    third = FakeDaemon(tmp_path / "third")
    third.adopt_world_of(second)
    await third.start()
    third.meter.spend(third.instance(), cpu_s=0.5)
    await sweeps(third, 2)
    share = await owned(third)
    assert (share.cpu_s, share.network_in_bytes, share.executions) == (5.5, 110, 1)
    assert now(third).network_in_bytes == 110
    await third.stop()


async def test_the_first_look_at_an_adopted_container_has_no_rates(system: FakeDaemon, tmp_path: Path) -> None:
    """All that it used before this daemon looked would be its rate; the second has them."""
    await run(system, ALICE)
    await minute(system)
    system.meter.spend(system.instance(), cpu_s=100.0)
    await system.stop(keep=True)
    other = FakeDaemon(tmp_path / "other")
    other.adopt_world_of(system)
    await other.start()
    await sweeps(other)
    assert (now(other).cpu_percent, now(other).memory_mb) == (None, 28.0)
    await sweeps(other)
    assert now(other).cpu_percent == 0.0
    await other.stop()


async def test_an_end_stores_the_minute_that_is_not_over(system: FakeDaemon) -> None:
    """And takes one last look before the workspaces are stopped."""
    await run(system, ALICE)
    await minute(system)
    await sweeps(system, 3)
    system.meter.spend(system.instance(), cpu_s=1.5)
    await system.stop()
    await system.store.open()
    assert (await stored_total(system)).cpu_s == 1.5
    assert (await stored(system))[-1].samples == pytest.approx(6, abs=1)
    assert system.offload.closed


async def test_two_daemons_within_a_minute_make_two_parts_of_it(system: FakeDaemon, tmp_path: Path) -> None:
    """And a reader finds one minute with the samples of both."""
    await run(system, ALICE)
    await minute(system)
    await sweeps(system, 4)
    await system.stop(keep=True)
    other = FakeDaemon(tmp_path / "other")
    other.adopt_world_of(system)
    await other.start()
    await minute(other)
    parts = await stored(other)
    last = parts[-1].at // MINUTE_S
    both = [point for point in parts if point.at // MINUTE_S == last]
    assert len(both) == 2
    found = await series(other, 3600)
    (bucket,) = [bucket for bucket in found.buckets if bucket.point.at == last * MINUTE_S]
    assert bucket.point.samples == sum(point.samples for point in both)
    assert None not in values(found, "memory_mb")
    await other.stop()


async def test_a_removed_workspace_leaves_its_points_and_totals(system: FakeDaemon) -> None:
    """And nothing in memory after a while."""
    await run(system, ALICE)
    system.meter.spend(system.instance(), cpu_s=1.0)
    await minute(system)
    await system.daemon.workspaces.delete(WorkspaceId(ALICE), "uid:0", 10)
    await asyncio.sleep(3600)
    assert len(await stored(system)) >= 1
    assert (await owned(system)).cpu_s == 1.0
    assert WorkspaceId(ALICE) not in system.daemon.usage.sampler.watches


class SetClock(LoopClock):
    """A wall clock that somebody sets."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def now(self) -> datetime:
        """The wall time."""
        return super().now() + self.offset


@pytest.mark.parametrize("step_s", [3600, -3600, 59, -59, 2.5])
async def test_a_wall_clock_that_is_set_ends_nothing(tmp_path: Path, step_s: float) -> None:
    """Rates and totals go by the other clock; points are where the wall clock then is, and go on from there."""
    clock = SetClock()
    system = await FakeDaemon(tmp_path, clock=clock).start()
    await run(system, ALICE)
    await minute(system)
    clock.offset = timedelta(seconds=step_s)
    begun = clock.now().timestamp()
    with structlog.testing.capture_logs() as logged:
        await sweeps(system)
        system.meter.spend(system.instance(), cpu_s=1.0)
        await sweeps(system)
        assert now(system).cpu_percent == pytest.approx(20.0, rel=STALL)
        await minute(system)
        await minute(system)
    assert not [line for line in logged if line["log_level"] == "error"]
    after = [point for point in await stored(system) if point.at >= begun - 5]
    assert sum(point.samples for point in after) >= 12
    assert (await owned(system)).cpu_s == 1.0
    found = await series(system, 900)
    assert found.buckets[-1].point.at == found.window.end - 5
    await system.stop()
