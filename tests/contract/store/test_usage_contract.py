"""What was used: one body over every store."""

from __future__ import annotations

from dataclasses import replace

from tests.contract.store.records import ALICE, HOME, NOON, at
from wsmgr.core.ids import OwnerKey, WorkspaceId
from wsmgr.core.series import Counts, Point, Spread
from wsmgr.core.sketch import pack
from wsmgr.core.usage import GAUGES, Mark, OwnerTotal, Share
from wsmgr.ports.store import Store

BOB = WorkspaceId("user:bob")
T = int(NOON.timestamp()) // 60 * 60
SPREAD = Spread(0.0, 1.5, 2**31 + 0.25)


def point(minute: int, *, executions: int = 3) -> Point:
    """Of the so-manieth minute; every other gauge was not measured."""
    spreads = tuple(SPREAD if number % 2 else None for number in range(len(GAUGES)))
    return Point(T + 60 * minute, 12, spreads, Counts(1, executions, 2, 1), pack({7: 2, 9: 70_000}))


def mark(workspace: WorkspaceId = HOME, seconds: float = 0) -> Mark:
    """As of so many seconds after noon."""
    return Mark(
        workspace=workspace,
        at=at(seconds),
        incarnation="box@7",
        cpu_s=1.25,
        network_in_bytes=2**40,
        network_out_bytes=2,
        total_in_bytes=2**41,
        total_out_bytes=4,
        total_oom_kills=5,
    )


SHARE = Share(
    cpu_s=0.5, memory_mb_s=1e9, network_in_bytes=2**40, network_out_bytes=1, executions=2**33, errors=7
)  # fmt: skip


async def test_points_come_back_as_they_were_put(store: Store) -> None:
    """Oldest first, of one workspace, from a time on."""
    await store.put_usage([(HOME, point(2)), (BOB, point(1)), (HOME, point(0)), (HOME, point(1))], [], [])
    assert await store.usage_points(HOME, T + 60) == [point(1), point(2)]
    assert await store.usage_points(BOB, 0) == [point(1)]
    assert await store.usage_points(WorkspaceId("user:nobody"), 0) == []


async def test_a_point_that_is_there_stays(store: Store) -> None:
    """A write whose confirmation was lost is made again, with what came later."""
    await store.put_usage([(HOME, point(0))], [], [])
    await store.put_usage([(HOME, point(0, executions=99)), (HOME, point(1))], [], [])
    assert await store.usage_points(HOME, 0) == [point(0), point(1)]


async def test_totals_and_marks_are_replaced(store: Store) -> None:
    """They are whole values; large ones too."""
    total = OwnerTotal(ALICE, at(1), SHARE)
    await store.put_usage([], [total, OwnerTotal(OwnerKey("org:acme"), at(2))], [mark(), mark(BOB)])
    more = total + SHARE
    later = replace(mark(seconds=9), incarnation="box@8", cpu_s=0.0)
    await store.put_usage([], [more], [later])
    found = await store.owner_totals([ALICE, OwnerKey("org:acme"), OwnerKey("user:nobody")])
    assert {one.owner: one for one in found} == {ALICE: more, "org:acme": OwnerTotal(OwnerKey("org:acme"), at(2))}
    assert {one.workspace: one for one in await store.usage_marks()} == {HOME: later, BOB: mark(BOB)}


async def test_many_owners_are_asked_for_at_once(store: Store) -> None:
    """More than one statement can name."""
    owners = [OwnerKey(f"user:u{number}") for number in range(1200)]
    await store.put_usage([], [OwnerTotal(owner, at(0)) for owner in owners], [])
    assert {one.owner for one in await store.owner_totals(owners)} == set(owners)
    assert await store.owner_totals([]) == []


async def test_old_points_go_oldest_first_and_old_marks_with_them(store: Store) -> None:
    """A few at a time; totals stay."""
    points = [(workspace, point(minute)) for minute in range(4) for workspace in (HOME, BOB)]
    await store.put_usage(points, [OwnerTotal(ALICE, at(0))], [mark(seconds=-100), mark(BOB, 200)])
    noon = at(120 + T - NOON.timestamp())
    assert [await store.purge_usage(noon, 3), await store.purge_usage(noon, 3)] == [3, 1]
    assert await store.purge_usage(noon, 3) == 0
    assert await store.usage_points(HOME, 0) == [point(2), point(3)]
    assert [one.workspace for one in await store.usage_marks()] == [BOB]
    assert len(await store.owner_totals([ALICE])) == 1
