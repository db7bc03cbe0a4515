"""What is told of all workspaces: only what changed, worked out once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.daemon import FakeDaemon
from wsmgr.api.roster import Roster
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.workspace import Desired
from wsmgr.wire.fleet import FleetChanges, FleetSnapshot

NAMES = ["user:alice", "user:alice~two", "user:bob"]
TIME = {"idleSeconds", "stopsInSeconds", "observedAt", "health"}
"""Members of a row that only time changes, besides others."""


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[FakeDaemon]:
    """Three workspaces that run, and no sweep by itself within the test's time."""
    system = await FakeDaemon(tmp_path, sample_every_s=60, default_plan="PRO").start()
    await system.put()
    for name in NAMES:
        await system.daemon.workspaces.put(WorkspaceId(name), Desired.RUNNING, "uid:0", 10)
    yield system
    if not system.daemon.executions.refusing:
        await system.stop()


@pytest.fixture
async def roster(system: FakeDaemon) -> Roster:
    """One that has looked."""
    roster = Roster(system.daemon)
    await roster.look()
    return roster


def data(frame: bytes, event: str) -> bytes:
    """What an event carries."""
    head, _, rest = frame.partition(b"\n")
    assert head == f"event: {event}".encode()
    assert rest.startswith(b"data: ")
    assert rest.endswith(b"\n\n")
    return rest.removeprefix(b"data: ")


def snapshot(roster: Roster) -> FleetSnapshot:
    """Everything."""
    return FleetSnapshot.model_validate_json(data(roster.frame(None), "snapshot"))


async def changes(roster: Roster, since: int) -> FleetChanges:
    """After another look, what is new."""
    await roster.look()
    return FleetChanges.model_validate_json(data(roster.frame(since), "changes"))


async def test_everything_is_what_lists_say(roster: Roster, admin: httpx.AsyncClient) -> None:
    """Row by row, by id, and the host."""
    found = json.loads(data(roster.frame(None), "snapshot"))
    listed = (await admin.get("/api/workspaces")).json()["items"]

    def timeless(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{name: value for name, value in row.items() if name not in TIME} for row in rows]

    assert [row["id"] for row in found["workspaces"]] == NAMES
    assert timeless(found["workspaces"]) == timeless(listed)
    assert set(found["workspaces"][0]) == set(listed[0])
    host = snapshot(roster).host
    assert (host.workspaces, host.running, host.memory_total_mb, host.disk_total_bytes) == (3, 3, 24 * 1024, 40 * 2**30)
    assert (host.cpu_percent, host.engine_away, host.open_alerts) == (12.5, None, 0)


async def test_the_passing_of_time_is_no_change(roster: Roster) -> None:
    """Nothing is encoded, and nobody is told anything."""
    number, encoded = roster.number, roster.encoded
    for _ in range(3):
        await roster.look()
    assert (roster.number, roster.encoded, encoded) == (number, 3, 3)


async def test_only_what_changed_is_told(roster: Roster, system: FakeDaemon) -> None:
    """A stop, of one of three."""
    number = roster.number
    await system.daemon.workspaces.stop(WorkspaceId("user:bob"), "uid:0", 10)
    found = await changes(roster, number)
    assert [(row.id, row.status) for row in found.workspaces] == [("user:bob", "STOPPED")]
    assert found.gone == []
    assert found.host is not None
    assert (found.host.running, found.host.memory_held_mb) == (2, 1024)
    assert roster.encoded == 4


async def test_what_it_uses_is_told_when_it_is_different(roster: Roster, system: FakeDaemon) -> None:
    """The first look at a workspace makes every figure new; then only one is."""
    await system.daemon.usage.sampler.sweep()
    await roster.look()
    number = roster.number
    system.meter.spend(system.instance("user:bob"), memory_bytes=2**20)
    await system.daemon.usage.sampler.sweep()
    await system.daemon.usage.sampler.sweep()
    found = await changes(roster, number)
    told = {row.id: row.resource_usage.memory_mb for row in found.workspaces}
    assert told["user:bob"] == 29.0


async def test_a_removed_one_is_gone(roster: Roster, system: FakeDaemon) -> None:
    """And one that is made again is there again."""
    number = roster.number
    bob = WorkspaceId("user:bob")
    await system.daemon.workspaces.delete(bob, "uid:0", 10)
    found = await changes(roster, number)
    assert (found.workspaces, found.gone) == ([], ["user:bob"])
    assert [row.id for row in snapshot(roster).workspaces] == NAMES[:2]
    later = roster.number
    await system.daemon.workspaces.put(bob, Desired.STOPPED, "uid:0", 0)
    again = await changes(roster, later)
    assert ([row.id for row in again.workspaces], again.gone) == (["user:bob"], [])


async def test_a_new_version_of_a_plugin_is_told_in_all_its_owners_workspaces(
    roster: Roster, system: FakeDaemon
) -> None:
    """And in nobody else's."""
    number = roster.number
    version = await system.put(code="export default () => 2")
    found = await changes(roster, number)
    assert {row.id: [one.version for one in row.plugins] for row in found.workspaces} == {
        "user:alice": [version],
        "user:alice~two": [version],
    }


@dataclass
class Changing:
    """What a unit may come to hold: a value that is not replaced when it changes."""

    inside: int = 0


async def test_what_changes_in_place_is_seen(roster: Roster, system: FakeDaemon) -> None:
    """To compare it with itself would show nothing."""
    held = Changing()
    vars(system.daemon.fleet.get(WorkspaceId("user:bob")).unit)["held"] = held
    await roster.look()
    number = roster.number
    assert (await changes(roster, number)).workspaces == []
    held.inside = 1
    assert [row.id for row in (await changes(roster, number)).workspaces] == ["user:bob"]


async def test_a_call_is_a_change_of_its_workspace(roster: Roster, system: FakeDaemon) -> None:
    """Its last activity is another."""
    number = roster.number
    await system.execute()
    assert [row.id for row in (await changes(roster, number)).workspaces] == ["user:alice"]


async def test_who_is_late_hears_the_newest_and_no_more(roster: Roster, system: FakeDaemon) -> None:
    """Three changes of one row are one."""
    number = roster.number
    for verb in ("stop", "start", "stop"):
        await getattr(system.daemon.workspaces, verb)(WorkspaceId("user:bob"), "uid:0", 10)
        await roster.look()
    found = FleetChanges.model_validate_json(data(roster.frame(number), "changes"))
    assert [(row.id, row.status) for row in found.workspaces] == [("user:bob", "STOPPED")]


async def test_all_who_are_as_far_share_the_bytes(roster: Roster, system: FakeDaemon) -> None:
    """Encoded and put together once."""
    number = roster.number
    assert roster.frame(None) is roster.frame(None)
    await system.execute()
    await roster.look()
    assert roster.frame(number) is roster.frame(number)
    assert roster.frame(None) is not roster.frame(number)


async def test_without_the_database_rows_are_told_without_plugins(system: FakeDaemon) -> None:
    """And with them when it is back."""
    system.daemon.plugins._owned.clear()
    roster = Roster(system.daemon)
    system.store.fail_next("current_plugins", StoreUnavailable("asked for"))
    system.store.fail_next("current_plugins", StoreUnavailable("asked for"))
    await roster.look()
    assert [len(row.plugins) for row in snapshot(roster).workspaces] == [0, 0, 0]
    number = roster.number
    found = await changes(roster, number)
    assert {row.id: len(row.plugins) for row in found.workspaces} == {
        "user:alice": 1,
        "user:alice~two": 1,
        "user:bob": 0,
    }
