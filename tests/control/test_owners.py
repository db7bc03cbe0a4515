"""What is chosen for owners reaches their workspaces, and nobody else's."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.fakes.daemon import FakeDaemon, until
from wsmgr.control.entry import Entry
from wsmgr.core.errors import InvalidPlans, InvalidRequest, StoreUnavailable
from wsmgr.core.ids import OwnerKey, WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.limit_table import LimitValue
from wsmgr.core.owner import Owner
from wsmgr.core.workspace import Created, Desired, Exited, Running

ALICE, BOB = OwnerKey("user:alice"), OwnerKey("user:bob")


async def running(system: FakeDaemon, key: OwnerKey, **owner: object) -> Entry:
    """A workspace that runs, of an owner with these choices."""
    if owner:
        await system.daemon.owners.put(Owner(key, **owner), "uid:0")  # type: ignore[arg-type]  # fields by name
    return await system.daemon.workspaces.put(WorkspaceId(key), Desired.RUNNING, "uid:0", 10)


def digest(entry: Entry) -> str | None:
    """Of what runs."""
    observed = entry.unit.observed
    return observed.digest if isinstance(observed, Created | Running | Exited) else None


async def test_an_override_is_in_the_specification_at_once_and_in_the_container_soon(system: FakeDaemon) -> None:
    """The old container goes at the next idle moment, and the call after it is served by the new one."""
    entry = await running(system, ALICE)
    before = digest(entry)
    await system.daemon.owners.put(Owner(ALICE, overrides={"memoryMb": 300, "idleTimeoutSeconds": 7}), "uid:0")
    spec = system.daemon.fleet.spec(entry, Isolation.CONTAINER)
    assert (spec.memory_mb, entry.limits.idle_timeout_s, entry.plan.name) == (300, 7, "FREE")
    await until(lambda: digest(entry) == spec.digest)
    assert before != spec.digest


async def test_an_idle_timeout_override_stops_the_workspace_then(system: FakeDaemon) -> None:
    """Without a new container: it is no part of the specification."""
    entry = await running(system, ALICE)
    handle = entry.unit.observed.handle  # type: ignore[union-attr]  # it runs
    await system.daemon.owners.put(Owner(ALICE, overrides={"idleTimeoutSeconds": 5}), "uid:0")
    await asyncio.sleep(3)
    assert entry.unit.observed.handle == handle  # type: ignore[union-attr]  # as above
    await until(lambda: entry.record.desired is Desired.STOPPED, 4)


async def test_a_call_in_flight_holds_up_what_needs_a_new_container(system: FakeDaemon) -> None:
    """And is told of; once it has ended the new one is made."""
    entry = await running(system, ALICE)
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute())
        await until(lambda: system.runtime().inflight == 1)
        await system.daemon.owners.put(Owner(ALICE, plan="PRO"), "uid:0")
        await until(lambda: "a new specification applies at the next idle moment" in entry.unit.reason)
    assert (await call).outcome is not None
    await until(lambda: digest(entry) == system.daemon.fleet.spec(entry, Isolation.CONTAINER).digest)


async def test_only_the_owners_own_workspaces_are_touched(system: FakeDaemon) -> None:
    """All of them; the others' containers stay."""
    await system.daemon.owners.put(Owner(ALICE, plan="PRO"), "uid:0")
    mine = [await running(system, ALICE), await running(system, OwnerKey("user:alice~two"))]
    other = await running(system, BOB)
    before = digest(other)
    await system.daemon.owners.put(Owner(ALICE, plan="PRO", overrides={"pids": 99}), "uid:0")
    assert [entry.limits.pids for entry in (*mine, other)] == [99, 99, 128]
    assert set(system.daemon.lifecycle._reconciler._workers) == {entry.unit for entry in mine}
    await until(lambda: all(digest(e) == system.daemon.fleet.spec(e, Isolation.CONTAINER).digest for e in mine))
    assert digest(other) == before


async def test_changes_at_once_are_all_made(system: FakeDaemon) -> None:
    """One after the other: none is lost, in the store or in memory."""
    entry = await running(system, ALICE)
    values: list[tuple[str, LimitValue]] = [("memoryMb", 200), ("cpus", 0.5), ("pids", 77), ("nofile", 100)]

    async def change(name: str, value: LimitValue) -> None:
        def edit(owner: Owner) -> Owner:
            return replace(owner, overrides={**owner.overrides, name: value})

        await system.daemon.owners.change(ALICE, edit, "uid:0")

    await asyncio.gather(*(change(name, value) for name, value in values))
    stored = await system.store.owner(ALICE)
    assert stored is not None
    assert dict(stored.overrides) == dict(values)
    assert (entry.limits.memory_mb, entry.limits.cpus, entry.limits.pids, entry.limits.nofile) == (200, 0.5, 77, 100)


async def test_a_workspace_that_is_being_made_gets_the_choices_of_that_moment(system: FakeDaemon) -> None:
    """Whenever they are stored while it reads the old ones."""
    for steps in range(12):
        workspace = WorkspaceId(f"user:carol{steps}")
        making = asyncio.create_task(system.daemon.fleet.ensure(workspace))
        for _ in range(steps):
            await asyncio.sleep(0)
        await system.daemon.owners.put(Owner(OwnerKey(workspace), plan="PRO"), "uid:0")
        assert (await making)[0].plan.name == "PRO", steps


async def test_what_cannot_be_is_refused_and_changes_nothing(system: FakeDaemon) -> None:
    """A limit out of its bounds, with the bounds; a store that does not take it."""
    entry = await running(system, ALICE)
    with pytest.raises(InvalidRequest, match="memoryMb is 31: it must be a whole number from 32"):
        await system.daemon.owners.put(Owner(ALICE, overrides={"memoryMb": 31}), "uid:0")
    system.store.fail_next("put_owner", StoreUnavailable("The disk is full."))
    with pytest.raises(StoreUnavailable):
        await system.daemon.owners.put(Owner(ALICE, overrides={"memoryMb": 300}), "uid:0")
    assert await system.store.owner(ALICE) is None
    assert entry.limits.memory_mb == 128
    assert "owner.put" not in system.actions()


async def test_an_override_that_another_version_stored_is_in_nobodys_way(system: FakeDaemon) -> None:
    """It is kept, passed over, and other choices can be made."""
    await system.store.put_owner(Owner(ALICE, overrides={"fromTheFuture": 1, "memoryMb": 1, "cpus": 0.5}))
    entry = await running(system, ALICE)
    assert (entry.limits.memory_mb, entry.limits.cpus) == (128, 0.5)
    await system.daemon.owners.change(ALICE, lambda owner: replace(owner, plan="PRO"), "uid:0")
    assert (entry.limits.memory_mb, entry.limits.cpus) == (512, 0.5)
    stored = await system.store.owner(ALICE)
    assert stored is not None
    assert set(stored.overrides) == {"fromTheFuture", "memoryMb", "cpus"}


async def test_the_audit_trail_has_before_and_after(system: FakeDaemon) -> None:
    """Under the owner's workspace, where people look; a choice that changes nothing is no event."""
    for _ in range(2):
        await system.daemon.owners.put(Owner(ALICE, plan="PRO", overrides={"cpus": 0.5}), "uid:7")
    await system.daemon.owners.put(Owner(ALICE, plan="PRO"), "uid:7")
    first, second = [event for event in system.store.all_events if event.action == "owner.put"]
    assert (first.workspace, first.actor, first.reason) == (WorkspaceId(ALICE), "uid:7", "plan PRO, cpus 0.5")
    assert first.before == {"plan": "FREE", "isolation": None, "fallback": None}
    assert first.after == {"plan": "PRO", "isolation": None, "fallback": None, "cpus": 0.5}
    assert second.reason == "cpus back to the default"


async def test_owners_are_listed_by_key_page_by_page(system: FakeDaemon) -> None:
    """For whom something was chosen, and who have a workspace; each once."""
    keys = [OwnerKey(f"user:{name}") for name in ("a", "a-b", "a.c", "b", "c")]
    for key in keys[::2]:
        await system.daemon.owners.put(Owner(key, plan="PRO"), "uid:0")
    for key in keys[:4]:
        await system.daemon.workspaces.put(WorkspaceId(key), Desired.STOPPED, "uid:0")
        await system.daemon.workspaces.put(WorkspaceId(f"{key}~more"), Desired.STOPPED, "uid:0")
    for size in range(1, 7):
        seen: list[Owner] = []
        while page := await system.daemon.owners.page(seen[-1].key if seen else "", size):
            seen += page
            assert len(page) <= size
        assert [owner.key for owner in seen] == keys
        assert [owner.plan for owner in seen] == ["PRO", "FREE", "PRO", "FREE", "PRO"]
    await system.daemon.workspaces.delete(WorkspaceId("user:b"), "uid:0", 10)
    await system.daemon.workspaces.delete(WorkspaceId("user:b~more"), "uid:0", 10)
    assert OwnerKey("user:b") not in [owner.key for owner in await system.daemon.owners.page("", 9)]


async def test_reloaded_plans_touch_those_whose_limits_they_change(system: FakeDaemon) -> None:
    """The others go on in the same container; overrides win over the new plan."""
    free = await running(system, ALICE)
    pro = await running(system, BOB, plan="PRO")
    mixed = await running(system, OwnerKey("user:mixed"), overrides={"memoryMb": 300})
    handles = [entry.unit.observed.handle for entry in (pro, mixed)]  # type: ignore[union-attr]  # they run
    system.plans.set("FREE", memory_mb=160)
    await system.daemon.owners.reload("uid:0")
    assert [entry.limits.memory_mb for entry in (free, pro, mixed)] == [160, 512, 300]
    await until(lambda: digest(free) == system.daemon.fleet.spec(free, Isolation.CONTAINER).digest)
    await asyncio.sleep(5)
    assert [entry.unit.observed.handle for entry in (pro, mixed)] == handles  # type: ignore[union-attr]  # as above
    (event,) = [event for event in system.store.all_events if event.action == "plans.reloaded"]
    assert (event.before, event.after) == ({"FREE.memoryMb": 128}, {"FREE.memoryMb": 160})
    assert event.reason == "From built in. Limits changed: 1; workspaces concerned: 1."


async def test_plans_that_cannot_be_used_leave_the_old_ones(system: FakeDaemon) -> None:
    """With the reason in the audit trail; the next good file is taken."""
    entry = await running(system, ALICE)
    system.plans.set("FREE", memory_mb=160)
    system.plans.fail = InvalidPlans("plans.yaml, line 3: cpus is 'x'.")
    with pytest.raises(InvalidPlans):
        await system.daemon.owners.reload("wsmgr")
    assert entry.limits.memory_mb == 128
    (event,) = [event for event in system.store.all_events if event.action == "plans.refused"]
    assert event.reason == "plans.yaml, line 3: cpus is 'x'. The plans stay as they are."
    system.plans.fail = None
    await system.daemon.owners.reload("wsmgr")
    assert entry.limits.memory_mb == 160


async def test_an_owner_whose_plan_is_gone_has_free_until_it_is_back(system: FakeDaemon) -> None:
    """What was chosen stays stored."""
    system.plans.set("GOLD", memory_mb=999)
    await system.daemon.owners.reload("uid:0")
    entry = await running(system, ALICE, plan="GOLD")
    assert entry.limits.memory_mb == 999
    with_gold, system.plans.book = system.plans.book, replace(system.plans.book, plans={})
    system.plans.set("FREE", memory_mb=160)
    await system.daemon.owners.reload("uid:0")
    assert (entry.plan.name, entry.limits.memory_mb) == ("FREE", 160)
    system.plans.book = with_gold
    await system.daemon.owners.reload("uid:0")
    assert (entry.plan.name, entry.limits.memory_mb) == ("GOLD", 999)


async def test_a_daemon_does_not_start_with_plans_that_cannot_be_used(system: FakeDaemon) -> None:
    """And says why."""
    system.plans.fail = InvalidPlans("plans.yaml, line 3: cpus is 'x'.")
    await system.stop()
    second = FakeDaemon(system.settings.state_dir)
    second.adopt_world_of(system)
    with pytest.raises(InvalidPlans, match="line 3"):
        await second.start()


async def test_choices_and_plans_outlive_the_daemon(system: FakeDaemon) -> None:
    """Read at the next start."""
    await running(system, ALICE, plan="PRO", overrides={"memoryMb": 300})
    system.plans.set("PRO", cpus=0.75)
    await system.stop()
    second = FakeDaemon(system.settings.state_dir)
    second.adopt_world_of(system)
    await second.start()
    limits = second.daemon.fleet.get(WorkspaceId(ALICE)).limits
    assert (limits.memory_mb, limits.cpus) == (300, 0.75)
    await second.stop()


async def test_the_restart_budget_is_the_plans(system: FakeDaemon) -> None:
    """With none at all the first end is the last."""
    entry = await running(system, ALICE, overrides={"restarts": 0})
    system.die()
    system.daemon.lifecycle._reconciler.nudge_all(entry, look=True)
    await until(lambda: entry.unit.exhausted)
    assert entry.unit.restarts == 1
