"""What counts for a workspace: its group where it has one that counts, else its processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.control.usage_rig import ALICE, BOB, STALL, now, owned, run, series, sweeps, values
from tests.fakes.cgroup import FakeCgroups
from tests.fakes.daemon import FakeDaemon
from wsmgr.control.readings import FIND_S, TRIES
from wsmgr.core.cgroup import Counters
from wsmgr.core.workspace import Running
from wsmgr.ports.cgroup import Group, GroupGone

MIB = 2**20
COUNTERS = Counters(
    memory_bytes=200 * MIB, working_set_bytes=100 * MIB, cpu_s=1.0, throttled_s=0.0, oom_kills=0, pids=7
)


class Groups(FakeCgroups):
    """Groups that the sampler alone finds; `late`: so many of its tries find nothing."""

    def __init__(self, *, late: int = 0) -> None:
        super().__init__(absent=True)
        self.late = late
        self.finds = 0
        self.gone = False
        self.counted = COUNTERS

    async def find(self, running: Running, timeout_s: float) -> Group | None:
        """After some tries, for the first container alone."""
        if timeout_s != FIND_S:
            return None
        self.finds += 1
        if running.handle != "box-1" or self.finds <= self.late:
            return None
        return Group(f"/groups/{running.handle}", running.handle)

    def counters(self, group: Group) -> Counters:
        """As set."""
        assert group.handle == "box-1"
        if self.gone:
            raise GroupGone
        return self.counted


async def started(tmp_path: Path, groups: Groups) -> FakeDaemon:
    """With Alice, who has a group, and Bob, who has none."""
    system = await FakeDaemon(tmp_path, cgroups=groups).start()
    await sweeps(system)
    await run(system, ALICE, BOB)
    return system


async def test_a_group_counts_where_there_is_one(tmp_path: Path) -> None:
    """Its processes are not added up then; network and scratch are nobody else's to say."""
    groups = Groups()
    system = await started(tmp_path, groups)
    await sweeps(system)
    groups.counted = Counters(
        memory_bytes=0, working_set_bytes=50 * MIB, cpu_s=2.0, throttled_s=2.5, oom_kills=1, pids=9
    )
    system.meter.spend(system.instance(), network_in_bytes=500, scratch_bytes=3 * MIB)
    await sweeps(system)
    alice, bob = now(system), now(system, BOB)
    assert (alice.memory_mb, alice.pids) == (50.0, 9)
    # How long a period was is measured, and sleeps end a little late.
    assert (alice.cpu_percent, alice.throttled_percent) == pytest.approx((20.0, 50.0), rel=STALL)
    assert (alice.oom_kills, alice.network_in_bytes, alice.scratch_mb) == (1, 500, 3.0)
    assert (bob.memory_mb, bob.throttled_percent, bob.oom_kills) == (28.0, None, None)
    assert [question.tree for question in system.meter.asked] == [False, True]
    assert (await owned(system)).cpu_s == 2.0
    await system.stop()


async def test_a_group_is_looked_for_a_few_times(tmp_path: Path) -> None:
    """The kernel may have it wait; after that its processes count for good."""
    groups = Groups()
    system = await started(tmp_path, groups)
    await sweeps(system, TRIES + 2)
    assert groups.finds == 1 + TRIES
    await system.stop()


async def test_one_that_is_found_late_counts_from_then_on(tmp_path: Path) -> None:
    """What its processes had used is not counted a second time."""
    groups = Groups(late=2)
    groups.counted = Counters(working_set_bytes=50 * MIB, cpu_s=3.1, throttled_s=9.0, oom_kills=3)
    system = await started(tmp_path, groups)
    system.meter.spend(system.instance(), cpu_s=3.0)
    await sweeps(system, 3)
    assert now(system).memory_mb == 50.0
    assert (await owned(system)).cpu_s == 3.1
    assert now(system).oom_kills == 0
    await system.stop()


async def test_a_group_that_goes_takes_nothing_with_it(tmp_path: Path) -> None:
    """It went with its last process: there is no sample, and no error."""
    groups = Groups()
    system = await started(tmp_path, groups)
    await sweeps(system, 2)
    groups.gone = True
    system.meter.gone.add(system.instance())
    await sweeps(system, 2)
    assert now(system).memory_mb is None
    assert now(system, BOB).memory_mb == 28.0
    assert values(await series(system, 900), "memory_mb") == [100.0, 100.0]
    await system.stop()


async def test_a_group_that_does_not_count_is_none(tmp_path: Path) -> None:
    """A controller is missing on this host: processes count."""
    groups = Groups()
    groups.counted = Counters(pids=9)
    system = await started(tmp_path, groups)
    await sweeps(system, 2)
    assert (now(system).memory_mb, now(system).pids) == (28.0, 12)
    await system.stop()
