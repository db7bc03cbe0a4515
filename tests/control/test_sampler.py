"""Sweeps over all running workspaces: what they find, at what cost to the engine, and what they bear."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.control.usage_rig import ALICE, BOB, PERIOD_S, STALL, now, owned, run, series, sweeps, values
from tests.fakes.daemon import FakeDaemon, until
from wsmgr.control.sampler import running_of
from wsmgr.core.errors import WsmgrError
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.outcome import Failure, FailureType, Outcome
from wsmgr.core.usage import Current
from wsmgr.core.workspace import Running
from wsmgr.ports.channel import Call
from wsmgr.ports.meter import Use

MIB = 2**20


def fails(_: Call) -> Outcome:
    """A plugin that raises, after a while."""
    failure = Failure(FailureType.EXCEPTION, "no", None, None)
    return Outcome(None, failure, (), logs_truncated=False, duration_ms=200.0)


async def test_who_burns_shows_it_and_who_does_not_does_not(system: FakeDaemon) -> None:
    """Processor, memory and network of one workspace, beside an idle neighbour."""
    await run(system, ALICE, BOB)
    await sweeps(system)
    system.meter.spend(
        system.instance(), cpu_s=2.5, memory_bytes=100 * MIB, network_in_bytes=5000, network_out_bytes=50, tasks=3
    )
    await sweeps(system)
    alice, bob = now(system), now(system, BOB)
    assert (alice.cpu_percent, bob.cpu_percent) == pytest.approx((50.0, 0.0), rel=STALL)
    assert (alice.cpu_of_limit_percent, bob.cpu_of_limit_percent) == pytest.approx((25.0, 0.0), rel=STALL)
    assert (alice.memory_mb, bob.memory_mb) == (128.0, 28.0)
    assert alice.network_in_bytes == 5000
    assert alice.network_in_bytes_per_s == pytest.approx(1000.0, rel=STALL)
    assert (alice.network_out_bytes, bob.network_out_bytes) == (50, 0)
    assert (alice.pids, bob.pids) == (15, 12)
    assert (alice.memory_limit_mb, alice.throttled_percent) == (2048, None)


async def test_a_sweep_asks_no_engine(system: FakeDaemon) -> None:
    """It looks at all with one question to the kernel."""
    await run(system, ALICE, BOB)
    calls = len(system.engine.calls)
    await system.daemon.usage.sampler.sweep()
    assert len(system.engine.calls) == calls
    assert len(system.meter.asked) == 2


async def test_the_first_look_at_a_new_container_has_its_rates(system: FakeDaemon) -> None:
    """It was started since the sweep before, so that all it used, it used since then."""
    await sweeps(system)
    await run(system, ALICE)
    system.meter.spend(system.instance(), cpu_s=1.0)
    await sweeps(system)
    assert now(system).cpu_percent == pytest.approx(20.0, rel=STALL)


async def test_a_missed_sweep_leaves_a_gap_and_right_rates(system: FakeDaemon) -> None:
    """What was used in three periods is divided by three periods."""
    await run(system, ALICE)
    await sweeps(system, 2)
    system.offload.busy = 2
    system.meter.spend(system.instance(), cpu_s=3.0)
    await sweeps(system)
    assert now(system).cpu_percent == pytest.approx(20.0, rel=STALL)
    assert system.daemon.usage.sampler.missed == 2
    found = await series(system, 900)
    assert values(found, "cpu_percent")[-2:] == [0.0, pytest.approx(20.0, rel=STALL)]
    assert [bucket.gap_after for bucket in found.buckets][-2:] == [True, False]


async def test_old_figures_are_not_told_as_new_ones(system: FakeDaemon) -> None:
    """When sweeps fail there are none; they come back with the next."""
    await run(system, ALICE)
    await sweeps(system)
    assert now(system).memory_mb == 28.0
    system.offload.busy = 5
    await asyncio.sleep(4 * PERIOD_S)
    assert now(system) == Current()
    await sweeps(system)
    assert now(system).memory_mb == 28.0


async def test_a_restart_loses_nothing_and_counts_nothing_twice(system: FakeDaemon) -> None:
    """Totals are the sum of what both containers counted; the rates are of the new one; the restart is marked."""
    await run(system, ALICE)
    system.meter.spend(system.instance(), cpu_s=2.0, network_in_bytes=1000)
    await sweeps(system)
    await system.daemon.workspaces.restart(WorkspaceId(ALICE), "uid:0", 10)
    system.meter.spend(system.instance(), cpu_s=0.5, network_in_bytes=10)
    await sweeps(system)
    current = now(system)
    assert current.network_in_bytes == 1010
    assert current.cpu_percent == pytest.approx(10.0, rel=STALL)
    assert (await owned(system)).cpu_s == 2.5
    assert sum(bucket.point.counts.restarts for bucket in (await series(system, 900)).buckets) == 1


async def test_failures_and_oom_kills_are_counted(system: FakeDaemon) -> None:
    """Where no group counts them, by how the container ended; once."""
    await run(system, ALICE)
    await sweeps(system)
    system.die(exit_code=137, oom_killed=True)
    unit = system.daemon.fleet.get(WorkspaceId(ALICE)).unit
    system.daemon.lifecycle._reconciler.nudge(system.daemon.fleet.get(WorkspaceId(ALICE)), unit, look=True)
    await until(lambda: unit.restarts == 1)
    await sweeps(system, 3)
    counts = [bucket.point.counts for bucket in (await series(system, 900)).buckets]
    assert (sum(one.oom_kills for one in counts), sum(one.restarts for one in counts)) == (1, 1)
    assert now(system).oom_kills == 1


async def test_runs_are_counted_with_how_long_they_took(system: FakeDaemon) -> None:
    """In all, failed ones, by the minute; after a minute without any the rates are 0, and the total stays."""
    await run(system, ALICE)
    await sweeps(system)
    for number in range(4):
        if number == 3:
            system.runtime().does["echo"] = fails
        await system.execute()
    await sweeps(system)
    current = now(system)
    assert (current.executions_per_min, current.errors_per_min) == (4.0, 1.0)
    assert current.p50_ms == pytest.approx(1.0, rel=0.05)
    assert current.p95_ms == pytest.approx(200.0, rel=0.05)
    await sweeps(system, 12)
    current = now(system)
    assert (current.executions_per_min, current.errors_per_min, current.p95_ms) == (0.0, 0.0, None)
    assert ((await owned(system)).executions, (await owned(system)).errors) == (4, 1)


async def test_what_never_ran_is_counted_nowhere(system: FakeDaemon) -> None:
    """A call that was refused is no execution."""
    await run(system, ALICE)
    with pytest.raises(WsmgrError):
        await system.execute(slug="missing")
    await sweeps(system)
    assert now(system).executions_per_min == 0.0


async def test_who_does_not_run_uses_nothing_but_keeps_its_totals(system: FakeDaemon) -> None:
    """Null, and not 0; there is no sample of it."""
    await run(system, ALICE)
    system.meter.spend(system.instance(), network_in_bytes=10)
    await sweeps(system)
    await system.daemon.workspaces.stop(WorkspaceId(ALICE), "uid:0", 10)
    await sweeps(system, 3)
    current = now(system)
    assert (current.memory_mb, current.cpu_percent, current.pids, current.network_in_bytes) == (None, None, None, 10)
    assert system.meter.asked == []
    (bucket,) = (await series(system, 900)).buckets
    assert bucket.gap_after


async def test_one_that_has_just_gone_is_none(system: FakeDaemon) -> None:
    """Its process ended before the engine said so; its neighbour is there."""
    await run(system, ALICE, BOB)
    await sweeps(system)
    system.meter.gone.add(system.instance())
    await sweeps(system)
    assert (now(system).memory_mb, now(system, BOB).memory_mb) == (None, 28.0)


async def test_what_the_host_cannot_say_is_null(system: FakeDaemon) -> None:
    """And the totals of its owner are not harmed."""
    await run(system, ALICE)
    system.meter.used[system.instance()] = Use()
    await sweeps(system, 2)
    current = now(system)
    assert (current.memory_mb, current.cpu_percent, current.network_in_bytes, current.scratch_mb) == (None,) * 4
    assert (await owned(system)).cpu_s == 0.0


async def test_a_runtime_that_many_share_is_nobodys(system: FakeDaemon) -> None:
    """The isolation `none`: what it uses is not what one workspace uses."""
    await run(system, ALICE)
    entry = system.daemon.fleet.get(WorkspaceId(ALICE))
    observed = entry.unit.observed
    assert isinstance(observed, Running)
    assert running_of(entry) is observed
    shared = replace(observed, endpoint=replace(observed.endpoint, namespace=ALICE))
    entry.unit.observed = shared
    assert running_of(entry) is None


async def test_a_defect_in_one_sweep_is_not_the_end(system: FakeDaemon) -> None:
    """The next one comes, and finds what there is."""
    await run(system, ALICE)
    await sweeps(system)
    system.meter.defect = ValueError("asked for")
    before = system.daemon.usage.sampler.sweeps
    await asyncio.sleep(2 * PERIOD_S)
    assert system.daemon.usage.sampler.sweeps == before
    system.meter.defect = None
    await sweeps(system)
    assert now(system).memory_mb == 28.0


async def test_sweeps_are_on_the_clocks_grid(tmp_path: Path) -> None:
    """Each bucket of a graph has its sample, whenever the daemon was started and however long a sweep takes."""
    await asyncio.sleep(1.7)
    system = await FakeDaemon(tmp_path, sample_every_s=7).start()
    await run(system, ALICE)
    await sweeps(system, 9)
    found = await series(system, 900)
    assert found.window.step_s == 7
    at = [bucket.point.at for bucket in found.buckets]
    assert at == list(range(at[0], at[0] + 7 * len(at), 7))
    assert all(one % 7 == 0 for one in at)
    assert not any(bucket.gap_after for bucket in found.buckets)
    await system.stop()
