"""Limits that are told to the kernel while a workspace runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon, until
from wsmgr.control.entry import Entry
from wsmgr.core.cgroup import Ceilings
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.limits import FREE, MIB, Limits, Plan
from wsmgr.core.workspace import Running

ALICE = WorkspaceId("user:alice")


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[FakeDaemon]:
    """A daemon on a host with control groups, with Alice's workspace running on the plan FREE."""
    system = await FakeDaemon(tmp_path, freezable=True).start()
    await system.put()
    await system.execute()
    yield system
    await system.stop()


def change(system: FakeDaemon, **limits: object) -> Entry:
    """Other limits for Alice, as a changed plan brings them."""
    entry = system.daemon.fleet.get(ALICE)
    entry.plan = Plan("FREE", replace(FREE.limits, **limits))  # type: ignore[arg-type]  # names of fields of Limits
    system.daemon.reconciler.nudge_all(entry)
    return entry


def instance(system: FakeDaemon) -> Running:
    """The one instance of Alice's workspace."""
    (box,) = system.engine.boxes(ALICE)
    assert isinstance(box, Running)
    return box


def held(limits: Limits) -> Ceilings:
    """What the kernel is to hold such a workspace to."""
    return Ceilings(memory_bytes=limits.memory_mb * MIB, swap_bytes=0, cpus=limits.cpus, pids=limits.pids)


async def test_a_start_tells_the_kernel_nothing_that_it_knows(system: FakeDaemon) -> None:
    """The engine has set the limits already."""
    assert system.cgroups.written == []
    assert "workspace.limits_applied" not in system.actions()


async def test_cpu_changes_while_it_runs(system: FakeDaemon) -> None:
    """Under a call, at once, in the same container; the trail says before and after."""
    before = instance(system)
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute())
        await until(lambda: system.runtime().inflight == 1)
        entry = change(system, cpus=2.0)
        await until(lambda: system.cgroups.behind(before).ceilings == held(entry.limits))
    await call
    await asyncio.sleep(5)
    assert instance(system) == before
    (event,) = [event for event in system.store.all_events if event.action == "workspace.limits_applied"]
    assert event.before is not None
    assert event.after is not None
    assert (event.before["cpus"], event.after["cpus"]) == ("0.25", "2")


@pytest.mark.parametrize("limits", [{"memory_mb": 300}, {"pids": 99}])
async def test_the_rest_changes_at_once_and_the_container_at_the_next_idle_moment(
    system: FakeDaemon, limits: dict[str, int]
) -> None:
    """The kernel holds it to the new limit under the call; the runtime inside learns of it by its next start."""
    before = instance(system)
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute())
        await until(lambda: system.runtime().inflight == 1)
        entry = change(system, **limits)
        await until(lambda: system.cgroups.behind(before).ceilings == held(entry.limits))
        await asyncio.sleep(5)
        assert instance(system) == before
    await call
    await until(lambda: system.engine.boxes(ALICE) != [] and system.engine.boxes(ALICE)[0].handle != before.handle)


async def test_what_the_kernel_refuses_waits_for_a_new_container(system: FakeDaemon) -> None:
    """It is said once, tried once, and the change comes with a fresh container at the next idle moment."""
    before = instance(system)
    system.cgroups.behind(before).refuses = {"cpus"}
    change(system, cpus=2.0)
    await until(lambda: system.engine.boxes(ALICE) != [] and system.engine.boxes(ALICE)[0].handle != before.handle)
    assert system.actions().count("workspace.limits_refused") == 1


async def test_limits_that_an_engine_dropped_are_set(tmp_path: Path) -> None:
    """Podman drops limits silently on some hosts: what the kernel says counts, and it is told."""
    system = FakeDaemon(tmp_path, freezable=True)
    system.cgroups.program(lambda _running: Ceilings())
    await system.start()
    await system.put()
    await system.execute()
    await until(lambda: system.cgroups.behind(instance(system)).ceilings == held(FREE.limits))
    assert system.daemon.capabilities.enforced_on(system.daemon.fleet.get(ALICE).unit)["memory"]
    await system.stop()


async def test_a_workspace_says_which_limits_the_kernel_holds(system: FakeDaemon) -> None:
    """What the kernel itself says of this one counts for more than a probe."""
    group = system.cgroups.behind(instance(system))
    group.refuses = {"cpus"}
    group.ceilings = replace(group.ceilings, cpus=None)
    entry = change(system)
    await until(lambda: "workspace.limits_refused" in system.actions())
    said = system.daemon.capabilities.enforced_on(entry.unit)
    assert (said["memory"], said["cpu"], said["pids"]) == (True, False, True)
