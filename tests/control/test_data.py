"""Persistent data: who holds which volume, of which size, and until when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon, until
from tests.fakes.store import FakeStore
from wsmgr.control.entry import Entry
from wsmgr.core.errors import Conflict, NotFound
from wsmgr.core.ids import OwnerKey, WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.limits import MIB
from wsmgr.core.owner import Owner
from wsmgr.core.volume import Mark
from wsmgr.core.workspace import Absent, Desired, Phase, Running

ALICE, BOB = "user:alice", "user:bob"
SOME = {"v64-0": 64, "v64-1": 64, "v256-0": 256}


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[FakeDaemon]:
    """A started daemon on a host with three volumes, whose owners have a plan with 64 MiB of data."""
    system = FakeDaemon(tmp_path)
    for name, size_mb in SOME.items():
        system.volumes.add(name, size_mb)
    await system.start()
    for key in (ALICE, BOB):
        await give(system, key, 64)
        await system.put(key)
    yield system
    if not system.daemon.executions.refusing:
        await system.stop()


async def give(system: FakeDaemon, key: str, size_mb: int) -> None:
    """Change what the owner's plan gives it."""
    await system.daemon.owners.put(Owner(OwnerKey(key), overrides={"dataMb": size_mb}), "uid:0")


async def run(system: FakeDaemon, key: str = ALICE) -> Entry:
    """A workspace that runs."""
    return await system.daemon.workspaces.put(WorkspaceId(key), Desired.RUNNING, "uid:0", 10)


def mounted(system: FakeDaemon, key: str = ALICE) -> str | None:
    """What the container that runs has as /data; "nothing runs" where none does."""
    for box in system.engine.boxes(WorkspaceId(key)):
        if isinstance(box, Running):
            return system.engine.spec_of(box.handle).data
    return "nothing runs"


def sentence(system: FakeDaemon, entry: Entry) -> str:
    """What the workspace says of its data."""
    return system.daemon.data.of(entry).sentence


def _said(system: FakeDaemon, words: str) -> bool:
    """Whether the audit trail says this of a size that was changed."""
    changes = [event for event in system.store.all_events if event.action == "workspace.data_resized"]
    return any(words in event.reason for event in changes)


async def cap_mb(system: FakeDaemon, name: str) -> float:
    """What files on a volume can take."""
    return next(one.cap_bytes for one in await system.volumes.list() if one.name == name) / MIB


async def test_a_workspace_has_a_volume_of_its_own_and_keeps_it(system: FakeDaemon) -> None:
    """The smallest that will do, across stop and removal of its container; its neighbour has another."""
    alice, bob = await run(system), await run(system, BOB)
    assert {alice.record.volume, bob.record.volume} == {"v64-0", "v64-1"}
    volume = alice.record.volume
    assert mounted(system) == system.volumes.source(str(volume))
    await system.daemon.workspaces.stop(alice.record.id, "uid:0", 10)
    assert isinstance(alice.unit.belief, Absent)
    await run(system)
    assert (alice.record.volume, mounted(system)) == (volume, system.volumes.source(str(volume)))
    assert ("wipe", volume) not in system.volumes.calls
    assert system.daemon.data.enforced(alice) == {"data": True}
    assert sentence(system, alice) == "0.0 MiB of 64 MiB are used."


async def test_the_plan_decides_the_size_and_not_the_volume(system: FakeDaemon) -> None:
    """A larger volume gives no more than the plan does."""
    await give(system, ALICE, 65)
    entry = await run(system)
    assert entry.record.volume == "v256-0"
    assert await cap_mb(system, "v256-0") == 65


async def test_another_size_holds_while_it_runs(system: FakeDaemon) -> None:
    """The container stays, and the audit trail says so."""
    await give(system, ALICE, 100)
    entry = await run(system)
    handle = system.engine.boxes(entry.record.id)[0].handle
    for size_mb in (200, 70):
        await give(system, ALICE, size_mb)
        await until(partial(_said, system, f"to {size_mb} MiB"))
        assert await cap_mb(system, "v256-0") == size_mb
    assert system.engine.boxes(entry.record.id)[0].handle == handle


async def test_what_is_over_a_smaller_plan_stays_and_cannot_grow(system: FakeDaemon) -> None:
    """Once some of it is deleted the smaller size holds."""
    await give(system, ALICE, 200)
    entry = await run(system)
    system.volumes.write("v256-0", 150 * MIB)
    await give(system, ALICE, 100)
    await until(lambda: "workspace.data_resized" in system.actions())
    assert await cap_mb(system, "v256-0") == 150
    assert "What is over stays" in sentence(system, entry)
    system.volumes.write("v256-0", 20 * MIB)
    await until(lambda: sentence(system, entry) == "20.0 MiB of 100 MiB are used.", 20)
    assert await cap_mb(system, "v256-0") == 100


async def test_a_plan_that_outgrows_the_volume_says_so(system: FakeDaemon) -> None:
    """It keeps its data, and has what the volume has."""
    entry = await run(system)
    await give(system, ALICE, 128)
    await until(lambda: "workspace.data_resized" in system.actions())
    assert (entry.record.volume, mounted(system)) == ("v64-0", system.volumes.source("v64-0"))
    assert "has no more than 64 MiB" in sentence(system, entry)


async def test_a_first_volume_comes_with_the_next_container(system: FakeDaemon) -> None:
    """At the next idle moment, as whatever the kernel cannot be told of."""
    await give(system, ALICE, 0)
    entry = await run(system)
    assert (mounted(system), entry.record.volume) == (None, None)
    assert sentence(system, entry) == "Its plan has no persistent data."
    assert system.daemon.data.enforced(entry) == {}
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute())
        await until(lambda: system.runtime().inflight == 1)
        await give(system, ALICE, 64)
        await until(lambda: "a new specification applies at the next idle moment" in entry.unit.reason)
        assert mounted(system) is None
    assert (await call).outcome is not None
    await until(lambda: entry.serving.endpoint is not None and mounted(system) == system.volumes.source("v64-0"))


async def test_a_plan_without_data_keeps_what_there_is(system: FakeDaemon) -> None:
    """It is not mounted any more, and comes back with the plan."""
    entry = await run(system)
    system.volumes.write("v64-0", 5 * MIB)
    await give(system, ALICE, 0)
    await until(lambda: entry.serving.endpoint is not None and mounted(system) is None)
    await until(lambda: "5.0 MiB are kept on the volume v64-0" in sentence(system, entry), 20)
    await give(system, ALICE, 64)
    await until(lambda: entry.serving.endpoint is not None and mounted(system) == system.volumes.source("v64-0"))
    assert ("wipe", "v64-0") not in system.volumes.calls


async def test_a_host_without_volumes_says_so(tmp_path: Path) -> None:
    """The workspace runs, without /data, and counts no limit as enforced."""
    system = await FakeDaemon(tmp_path).start()
    await system.put()
    await give(system, ALICE, 64)
    entry = await run(system)
    assert (mounted(system), entry.record.volume) == (None, None)
    assert "no volumes" in sentence(system, entry)
    assert system.daemon.data.enforced(entry) == {"data": False}
    await system.stop()


async def test_when_all_are_taken_the_next_has_none_until_one_is_free(system: FakeDaemon) -> None:
    """And gets it without being asked for it again."""
    await give(system, ALICE, 200)
    await give(system, BOB, 200)
    await run(system)
    bob = await run(system, BOB)
    assert (bob.record.volume, mounted(system, BOB)) == (None, None)
    assert "No volume of at least 200 MiB is free" in sentence(system, bob)
    system.volumes.add("v256-1", 256)
    await until(lambda: bob.serving.endpoint is not None and mounted(system, BOB) is not None)
    assert bob.record.volume == "v256-1"


async def test_deleting_the_workspace_deletes_its_data(system: FakeDaemon) -> None:
    """And the volume is free for somebody else."""
    entry = await run(system)
    system.volumes.write("v64-0", 5 * MIB)
    assert await system.daemon.workspaces.delete(entry.record.id, "uid:0")
    assert ("wipe", "v64-0") in system.volumes.calls
    assert "workspace.data_deleted" in system.actions()
    assert (await run(system, BOB)).record.volume == "v64-0"


async def test_a_deletion_that_fails_is_tried_again(system: FakeDaemon) -> None:
    """The workspace is there, and says why, until its data has gone."""
    entry = await run(system)
    system.volumes.break_("v64-0", "It is not mounted.")
    assert not await system.daemon.workspaces.delete(entry.record.id, "uid:0", 3)
    assert entry.unit.reason == "It is not mounted."
    system.volumes.break_("v64-0", None)
    await until(lambda: system.daemon.fleet.find(entry.record.id) is None)
    assert ("wipe", "v64-0") in system.volumes.calls


async def test_a_workspace_does_not_run_without_the_data_that_it_has(system: FakeDaemon) -> None:
    """An empty /data would be taken for the truth; it runs again when the volume is back."""
    entry = await run(system)
    await system.daemon.workspaces.stop(entry.record.id, "uid:0", 10)
    system.volumes.break_("v64-0", "No file system is mounted there.")
    await system.daemon.workspaces.start(entry.record.id, "uid:0", 0)
    await until(lambda: entry.unit.phase is Phase.ERROR)
    assert "No file system is mounted there." in entry.unit.reason
    assert system.engine.boxes(entry.record.id) == []
    system.volumes.break_("v64-0", None)
    await system.daemon.workspaces.recover(entry.record.id, "uid:0", 10)
    await until(lambda: mounted(system) == system.volumes.source("v64-0"))


async def test_retention_leaves_a_workspace_with_data_alone(tmp_path: Path) -> None:
    """One without is removed meanwhile."""
    system = FakeDaemon(tmp_path, retention_s=60)
    system.volumes.add("v64-0", 64)
    await system.start()
    await give(system, ALICE, 64)
    alice, bob = await run(system), await run(system, BOB)
    for entry in (alice, bob):
        await system.daemon.workspaces.stop(entry.record.id, "uid:0", 10)
    await until(lambda: system.daemon.fleet.find(bob.record.id) is None, 200)
    assert system.daemon.fleet.find(alice.record.id) is alice
    assert "is kept until it is deleted" in system.daemon.idle.verdict(alice).reason
    await system.stop()


async def test_after_a_crash_the_same_workspace_has_the_same_volume(system: FakeDaemon, tmp_path: Path) -> None:
    """By what is stored, and by what is marked."""
    entry = await run(system)
    system.volumes.write("v64-0", 5 * MIB)
    await system.crash()
    after = FakeDaemon(tmp_path)
    after.adopt_world_of(system)
    await after.start()
    adopted = after.daemon.fleet.get(entry.record.id)
    assert adopted.record.volume == "v64-0"
    await until(lambda: adopted.serving.endpoint is not None)
    assert sentence(after, adopted) == "5.0 MiB of 64 MiB are used."
    assert "volume.orphan" not in after.actions()
    await after.stop()


async def test_data_of_a_lost_database_is_told_of_and_kept(system: FakeDaemon, tmp_path: Path) -> None:
    """Nobody gets it, also not the workspace of that name: whose it is would be a guess."""
    await run(system)
    await system.stop()
    after = FakeDaemon(tmp_path / "other")
    after.adopt_world_of(system)
    after.store = FakeStore()
    after.daemon = after._compose()
    await after.start()
    told = [event.reason for event in after.store.all_events if event.action == "volume.orphan"]
    assert len(told) == 1
    assert "v64-0 has data of user:alice" in told[0]
    await after.put()
    await give(after, ALICE, 64)
    assert (await run(after)).record.volume == "v64-1"
    assert ("wipe", "v64-0") not in system.volumes.calls
    await after.daemon.data.delete_orphan("v64-0", "uid:0")
    assert (await run_other(after)).record.volume == "v64-0"
    await after.stop()


async def run_other(system: FakeDaemon) -> Entry:
    """Another owner's workspace, with data."""
    await give(system, BOB, 64)
    return await run(system, BOB)


async def test_only_orphans_can_be_deleted_by_name(system: FakeDaemon) -> None:
    """The data of a workspace goes with the workspace."""
    await run(system)
    with pytest.raises(Conflict, match="user:alice"):
        await system.daemon.data.delete_orphan("v64-0", "uid:0")
    with pytest.raises(NotFound):
        await system.daemon.data.delete_orphan("v64-9", "uid:0")


async def test_a_volume_that_has_anothers_data_is_not_wiped(system: FakeDaemon) -> None:
    """Somebody swapped volumes by hand: what is marked as another's stays, whatever is stored."""
    entry = await run(system)
    system.volumes.marked("v64-0", Mark("other", WorkspaceId(BOB), 10_007))
    assert await system.daemon.workspaces.delete(entry.record.id, "uid:0")
    assert ("wipe", "v64-0") not in system.volumes.calls


async def test_a_worker_has_no_data_and_says_so(system: FakeDaemon) -> None:
    """Its files would be the daemon's own."""
    await system.daemon.owners.put(
        Owner(OwnerKey(ALICE), isolation=Isolation.WORKER, overrides={"dataMb": 64}), "uid:0"
    )
    entry = await run(system)
    assert entry.record.volume is None
    assert sentence(system, entry) == "The isolation worker has no persistent data."
    assert system.daemon.data.enforced(entry) == {"data": False}


async def test_a_hundred_first_starts_share_no_volume(tmp_path: Path) -> None:
    """At the same time, with fewer volumes than workspaces."""
    system = FakeDaemon(tmp_path)
    for number in range(20):
        system.volumes.add(f"v64-{number:02}", 64)
    await system.start()
    keys = [f"user:u{number}" for number in range(40)]
    for key in keys:
        await give(system, key, 64)
    entries = await asyncio.gather(*(run(system, key) for key in keys))
    held = [entry.record.volume for entry in entries if entry.record.volume is not None]
    assert len(held) == len(set(held)) == 20
    stored = [one.volume for one in await system.store.workspaces() if one.volume is not None]
    assert sorted(stored) == sorted(held)
    await system.stop()


async def test_capabilities_tell_of_volumes(system: FakeDaemon) -> None:
    """For containers alone."""
    matrix = await system.daemon.capabilities.matrix()
    assert [line.evidence for line in matrix[Isolation.CONTAINER] if line.name == "data"] == ["3 volumes."]
    assert not [line for line in matrix[Isolation.WORKER] if line.name == "data"]


async def full_events(system: FakeDaemon) -> list[str]:
    """The places that were told of as full."""
    return [str((event.after or {})["place"]) for event in system.store.all_events if event.action == "workspace.full"]


async def test_a_full_data_is_told_of_once_until_there_is_room_again(system: FakeDaemon) -> None:
    """However many looks there are; the neighbour is not named."""
    await run(system)
    await run(system, BOB)
    system.volumes.write("v64-0", 64 * MIB)
    await asyncio.sleep(60)
    assert await full_events(system) == ["/data"]
    system.volumes.write("v64-0", 0)
    await asyncio.sleep(20)
    system.volumes.write("v64-0", 64 * MIB)
    await asyncio.sleep(20)
    assert await full_events(system) == ["/data", "/data"]
    assert {event.workspace for event in system.store.all_events if event.action == "workspace.full"} == {ALICE}


async def test_a_full_scratch_is_told_of_once(system: FakeDaemon) -> None:
    """As the sampler saw it."""
    await run(system)
    instance = system.instance()
    system.meter.spend(instance)
    system.meter.used[instance] = replace(system.meter.used[instance], scratch_full=True)
    await asyncio.sleep(60)
    assert await full_events(system) == ["/tmp"]
