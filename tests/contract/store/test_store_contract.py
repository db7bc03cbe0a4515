"""Owners, workspaces, plugins, events and tokens: one body over every store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from tests.contract.store.records import ALICE, HOME, NOON, at, event, source
from wsmgr.core.bundle import BundleFile, bundle_of
from wsmgr.core.errors import Conflict, NotFound, StoreUnavailable
from wsmgr.core.event import Event
from wsmgr.core.ids import OwnerKey, Slug, Version, WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.owner import Owner
from wsmgr.core.plugin import Language, source_of_bundle, source_of_code
from wsmgr.core.workspace import Desired
from wsmgr.ports.store import Store, Token


async def test_owner_is_none_until_put_and_then_what_was_put_last(store: Store) -> None:
    """An owner nobody chose anything for is not stored; the last choice counts."""
    assert await store.owner(ALICE) is None
    await store.put_owner(Owner(ALICE, "PRO", Isolation.WORKER, fallback=True))
    assert await store.owner(ALICE) == Owner(ALICE, "PRO", Isolation.WORKER, fallback=True)
    await store.put_owner(Owner(ALICE))
    assert await store.owner(ALICE) == Owner(ALICE)
    assert await store.owner(OwnerKey("org:alice")) is None


async def test_an_owners_overrides_come_back_as_they_were(store: Store) -> None:
    """Whole numbers, fractions and truth; none of them is none."""
    overrides = {"memoryMb": 300, "cpus": 0.25, "requireEnforcedLimits": True, "ratePerSecond": 5.0}
    await store.put_owner(Owner(ALICE, None, overrides=overrides))
    stored = await store.owner(ALICE)
    assert stored == Owner(ALICE, None, overrides=overrides)
    assert stored is not None
    assert {name: type(value) for name, value in stored.overrides.items()} == {
        name: type(value) for name, value in overrides.items()
    }
    await store.put_owner(Owner(ALICE))
    assert await store.owner(ALICE) == Owner(ALICE)


async def test_owners_are_listed_by_key(store: Store) -> None:
    """By their bytes; a page ends where the next begins."""
    keys = [OwnerKey(f"user:{name}") for name in ("b", "B", "a-b", "a", "a.c")] + [OwnerKey("org:z")]
    for key in keys:
        await store.put_owner(Owner(key, "PRO", overrides={"cpus": 0.5}))
    assert [owner.key for owner in await store.owners("", 100)] == sorted(keys)
    assert await store.owners("user:a", 2) == [Owner(key, "PRO", overrides={"cpus": 0.5}) for key in sorted(keys)[3:5]]
    assert await store.owners("user:b", 2) == []


async def test_ensure_workspace_makes_one_once(store: Store) -> None:
    """A hundred calls at once make one workspace, and all get the same."""
    calls = [store.ensure_workspace(HOME, Desired.RUNNING, at(n)) for n in range(100)]
    made = await asyncio.gather(*calls)
    assert set(made) == set(await store.workspaces())
    assert len(await store.workspaces()) == 1
    assert made[0].slot == 0
    assert made[0].desired is Desired.RUNNING
    assert made[0].owner == ALICE


async def test_slots_are_unique_and_the_lowest_free_one_is_given(store: Store) -> None:
    """A freed slot is given again before a new one is made."""
    ids = [WorkspaceId(f"user:u{n}") for n in range(20)]
    made = await asyncio.gather(*[store.ensure_workspace(one, Desired.STOPPED, NOON) for one in ids])
    assert sorted(one.slot for one in made) == list(range(20))
    by_slot = {one.slot: one.id for one in made}
    await store.delete_workspace(by_slot[7])
    await store.delete_workspace(by_slot[0])
    again = [await store.ensure_workspace(WorkspaceId(f"org:o{n}"), Desired.STOPPED, NOON) for n in range(3)]
    assert [one.slot for one in again] == [0, 7, 20]


async def test_workspaces_are_listed_by_id(store: Store) -> None:
    """The order is that of the bytes of the ids, on every database."""
    ids = [WorkspaceId(f"user:{name}") for name in ("b", "B", "a", "a~x", "A-1", "a.1")]
    for one in ids:
        await store.ensure_workspace(one, Desired.STOPPED, NOON)
    assert [one.id for one in await store.workspaces()] == sorted(ids)


async def test_put_workspace_replaces_what_may_change(store: Store) -> None:
    """Desired, generation and last activity change; slot and creation do not."""
    made = await store.ensure_workspace(HOME, Desired.RUNNING, NOON)
    changed = replace(made, desired=Desired.STOPPED, generation=4, last_activity_at=at(5))
    await store.put_workspace(replace(changed, slot=99, created_at=at(9)))
    assert await store.workspaces() == [changed]


async def test_put_workspace_of_an_unknown_one_is_not_found(store: Store) -> None:
    """A workspace that was deleted in between does not come back."""
    made = await store.ensure_workspace(HOME, Desired.RUNNING, NOON)
    await store.delete_workspace(HOME)
    with pytest.raises(NotFound):
        await store.put_workspace(made)
    assert await store.workspaces() == []


async def test_a_volume_is_held_by_one_workspace(store: Store) -> None:
    """Until it is let go, or the workspace is deleted; what else is written of it leaves that alone."""
    other = WorkspaceId("user:bob")
    made = await store.ensure_workspace(HOME, Desired.STOPPED, NOON)
    await store.ensure_workspace(other, Desired.STOPPED, NOON)
    await store.hold_volume(HOME, "v64-00")
    await store.hold_volume(HOME, "v64-00")
    with pytest.raises(Conflict, match=str(HOME)):
        await store.hold_volume(other, "v64-00")
    await store.put_workspace(replace(made, generation=4))
    assert {one.id: one.volume for one in await store.workspaces()} == {HOME: "v64-00", other: None}
    await store.delete_workspace(HOME)
    await store.hold_volume(other, "v64-00")
    await store.hold_volume(other, None)
    assert [one.volume for one in await store.workspaces()] == [None]
    with pytest.raises(NotFound):
        await store.hold_volume(HOME, "v64-00")


async def test_touch_writes_the_last_activity_of_several(store: Store) -> None:
    """Unknown workspaces are passed over, also when they come first."""
    other = WorkspaceId("user:bob")
    for one in (HOME, other):
        await store.ensure_workspace(one, Desired.RUNNING, NOON)
    await store.touch_workspaces([(WorkspaceId("user:nobody"), at(1)), (HOME, at(2)), (other, at(3))])
    await store.touch_workspaces([])
    assert [one.last_activity_at for one in await store.workspaces()] == [at(2), at(3)]


async def test_deleting_a_workspace_twice_is_well(store: Store) -> None:
    """It is gone after the first time, and the owner's plugins stay."""
    await store.put_version(ALICE, source("1"), NOON, "uid:0")
    await store.ensure_workspace(HOME, Desired.RUNNING, NOON)
    await store.delete_workspace(HOME)
    await store.delete_workspace(HOME)
    assert await store.workspaces() == []
    assert len(await store.current_plugins(ALICE)) == 1


async def test_times_come_back_aware_in_utc_to_the_microsecond(store: Store) -> None:
    """A time of another zone is the same moment."""
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    await store.ensure_workspace(HOME, Desired.RUNNING, tokyo)
    (stored,) = await store.workspaces()
    assert stored.created_at == NOON
    assert stored.created_at.utcoffset() is not None


async def test_a_put_version_is_current_and_has_its_code(store: Store) -> None:
    """The code comes back as it was, NUL and every script of the world included."""
    plugin = source("exports.execute = () => '\0 é \N{GRINNING FACE}'")
    put = await store.put_version(ALICE, plugin, NOON, "uid:1000")
    assert put.current
    assert put.size == len(plugin.code.encode())
    assert (put.created_at, put.created_by) == (NOON, "uid:1000")
    assert await store.current_source(ALICE, plugin.slug) == plugin
    assert await store.source(ALICE, plugin.slug, plugin.version) == plugin
    assert await store.versions(ALICE, plugin.slug) == [put]
    assert await store.current_plugins(ALICE) == [put]


async def test_versions_are_listed_newest_first_and_one_is_current(store: Store) -> None:
    """Also when they were put in the same moment."""
    put = [await store.put_version(ALICE, source(code), NOON, "uid:0") for code in "abcd"]
    stored = await store.versions(ALICE, Slug("markdown"))
    assert [one.version for one in stored] == [one.version for one in reversed(put)]
    assert [one.current for one in stored] == [True, False, False, False]


async def test_the_same_content_again_only_becomes_current(store: Store) -> None:
    """It is kept once, and says who put it last and when."""
    first = source("one")
    await store.put_version(ALICE, first, NOON, "uid:1")
    await store.put_version(ALICE, source("two"), at(1), "uid:1")
    again = await store.put_version(ALICE, first, at(2), "uid:2")
    stored = await store.versions(ALICE, first.slug)
    assert len(stored) == 2
    assert stored[0] == again
    assert (again.created_at, again.created_by) == (at(2), "uid:2")
    assert not stored[1].current
    assert await store.current_source(ALICE, first.slug) == first


async def test_the_oldest_versions_are_trimmed(store: Store) -> None:
    """Of that plugin alone; one that was put again is new, and the current one stays."""
    for code in "abcde":
        await store.put_version(ALICE, source(code), NOON, "uid:0")
    await store.put_version(ALICE, source("a"), NOON, "uid:0")
    await store.put_version(ALICE, source("a", "other"), NOON, "uid:0")
    await store.put_version(OwnerKey("user:bob"), source("a"), NOON, "uid:0")
    assert await store.trim_versions(ALICE, Slug("markdown"), 5) == 0
    assert await store.trim_versions(ALICE, Slug("markdown"), 2) == 3
    left = [one.version for one in await store.versions(ALICE, Slug("markdown"))]
    assert left == [source("a").version, source("e").version]
    assert await store.trim_versions(ALICE, Slug("markdown"), 1) == 1
    assert await store.current_source(ALICE, Slug("markdown")) == source("a")
    assert await store.trim_versions(ALICE, Slug("nothing"), 1) == 0
    assert len(await store.current_plugins(ALICE)) == 2
    assert await store.current_source(OwnerKey("user:bob"), Slug("markdown")) is not None


async def test_plugins_of_owners_are_apart(store: Store) -> None:
    """The same slug of two owners is two plugins; the list has one row for each plugin, by slug."""
    bob = OwnerKey("user:bob")
    for slug in ("zeta", "alpha"):
        await store.put_version(ALICE, source("old", slug), NOON, "uid:0")
        await store.put_version(ALICE, source("new", slug), NOON, "uid:0")
    await store.put_version(bob, source("bobs", "zeta"), NOON, "uid:0")
    listed = await store.current_plugins(ALICE)
    assert [one.slug for one in listed] == ["alpha", "zeta"]
    assert all(one.current and one.version == source("new").version for one in listed)
    assert await store.delete_plugin(ALICE, Slug("zeta"))
    assert await store.current_source(bob, Slug("zeta")) == source("bobs", "zeta")


async def test_a_deleted_plugin_is_gone_with_its_versions(store: Store) -> None:
    """The second time there is none; put again, it is there again."""
    plugin = source("x")
    await store.put_version(ALICE, plugin, NOON, "uid:0")
    assert await store.delete_plugin(ALICE, plugin.slug)
    assert not await store.delete_plugin(ALICE, plugin.slug)
    assert await store.versions(ALICE, plugin.slug) == []
    assert await store.current_source(ALICE, plugin.slug) is None
    assert await store.source(ALICE, plugin.slug, plugin.version) is None
    await store.put_version(ALICE, plugin, NOON, "uid:0")
    assert await store.current_source(ALICE, plugin.slug) == plugin


async def test_a_plugin_that_is_not_there_is_none(store: Store) -> None:
    """An unknown slug, or an unknown version of a known one."""
    await store.put_version(ALICE, source("x"), NOON, "uid:0")
    assert await store.current_source(ALICE, Slug("other")) is None
    assert await store.source(ALICE, Slug("markdown"), Version("0" * 64)) is None


async def test_events_get_growing_ids_and_come_newest_first(store: Store) -> None:
    """Of one workspace, or of all; a page ends where the next begins."""
    other = WorkspaceId("user:bob")
    kept = [await store.append(event(str(n), workspace=(HOME, other, None)[n % 3])) for n in range(9)]
    assert [one.id for one in kept] == sorted({one.id for one in kept})
    assert kept[0].id > 0
    assert await store.events(None, 100, None) == kept[::-1]
    assert await store.events(HOME, 100, None) == [kept[6], kept[3], kept[0]]
    assert await store.events(HOME, 1, kept[6].id) == [kept[3]]


async def test_events_are_found_by_actor_and_by_action(store: Store) -> None:
    """Both at once too; a page of them ends where the next begins."""
    kept = [
        await store.append(Event(NOON, actor, action, "x", HOME))
        for actor, action in [("uid:0", "stop"), ("uid:1", "stop"), ("uid:0", "start"), ("uid:0", "stop")]
    ]
    assert await store.events(None, 9, None, actor="uid:0") == [kept[3], kept[2], kept[0]]
    assert await store.events(HOME, 9, None, actor="uid:0", action="stop") == [kept[3], kept[0]]
    assert await store.events(HOME, 1, kept[3].id, actor="uid:0", action="stop") == [kept[0]]
    assert await store.events(None, 9, None, action="restart") == []


async def test_events_after_one_come_oldest_first(store: Store) -> None:
    """Page by page, of all workspaces; nothing follows the newest."""
    other = WorkspaceId("user:bob")
    kept = [await store.append(event(str(n), workspace=(HOME, other, None)[n % 3])) for n in range(5)]
    assert await store.events_after(0, 100) == kept
    assert await store.events_after(kept[1].id, 2) == kept[2:4]
    assert await store.events_after(kept[-1].id, 2) == []


async def test_an_event_keeps_what_was_changed(store: Store) -> None:
    """Text, numbers, truth and null; most events have no change."""
    changed = Event(NOON, "uid:0", "owner.put", "x", None, 0, {"plan": None, "n": 1}, {"plan": "PRO", "fallback": True})
    kept = await store.append(changed)
    assert await store.events(None, 1, None) == [kept]
    assert (kept.before, kept.after) == (changed.before, changed.after)
    assert (await store.append(event("x"))).before is None


async def test_an_event_may_quote_anything(store: Store) -> None:
    """A reason with a NUL or half a surrogate pair, which databases refuse, is still kept."""
    kept = await store.append(event("it wrote \0 and \ud800 and é"))
    (stored,) = await store.events(HOME, 1, None)
    assert stored.id == kept.id
    assert stored.reason.startswith("it wrote ")
    assert stored.reason.endswith(" and é")


async def test_a_token_name_is_taken_once(store: Store) -> None:
    """The second is a conflict and changes nothing; revoked, the name is free."""
    token = Token("ci", "service", NOON)
    await store.put_token(token, "d1")
    with pytest.raises(Conflict):
        await store.put_token(Token("ci", "admin", NOON), "d2")
    assert await store.tokens() == [(token, "d1")]
    assert await store.delete_token("ci")
    assert not await store.delete_token("ci")
    await store.put_token(Token("b", "admin", NOON), "d3")
    await store.put_token(Token("a", "admin", NOON), "d4")
    assert [one.name for one, _ in await store.tokens()] == ["a", "b"]


async def test_a_closed_store_refuses_and_opens_again(store: Store) -> None:
    """Nothing is lost in between; closing twice is well."""
    await store.put_owner(Owner(ALICE, "PRO"))
    await store.check()
    await store.close()
    for refused in (store.check(), store.owner(ALICE), store.put_owner(Owner(ALICE))):
        with pytest.raises(StoreUnavailable):
            await refused
    await store.open()
    assert await store.owner(ALICE) == Owner(ALICE, "PRO")


async def test_a_bundle_is_stored_as_it_was(store: Store) -> None:
    """Beside single files, its size that of its names and contents, and again after a second put."""
    files = [BundleFile("index.js", b"\x00\xff"), BundleFile("lib/ä.js", b""), BundleFile("z", b"1:2")]
    plugin = source_of_bundle(Slug("bundled"), Language.JAVASCRIPT, bundle_of("index.js", files))
    put = await store.put_version(ALICE, plugin, NOON, "uid:0")
    assert put.size == plugin.size
    code = source_of_code(Slug("bundled"), Language.JAVASCRIPT, "1")
    await store.put_version(ALICE, code, at(1), "uid:0")
    assert await store.current_source(ALICE, Slug("bundled")) == code
    assert await store.source(ALICE, Slug("bundled"), plugin.version) == plugin
    await store.put_version(ALICE, plugin, at(2), "uid:0")
    assert await store.current_source(ALICE, Slug("bundled")) == plugin
    assert [one.size for one in await store.versions(ALICE, Slug("bundled"))] == [plugin.size, 1]
