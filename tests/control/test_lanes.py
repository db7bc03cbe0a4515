"""Whose queued call is next."""

from __future__ import annotations

from tests.contract.store.records import execution
from wsmgr.control.lanes import Lanes, Waiting
from wsmgr.core.execution import ExecutionState
from wsmgr.core.ids import OwnerKey, WorkspaceId

ALICE, BOB = OwnerKey("user:alice"), OwnerKey("user:bob")


def waiting(name: str, owner: OwnerKey = ALICE) -> Waiting:
    """A call in the queue."""
    return Waiting(execution(name, workspace=WorkspaceId(owner), state=ExecutionState.QUEUED))


def lanes_of(*calls: Waiting) -> Lanes:
    """Lanes with these calls."""
    lanes = Lanes()
    for one in calls:
        lanes.add(one)
    return lanes


def taken(lanes: Lanes, now: float = 0.0, *, at_once: int = 99) -> str | None:
    """The id of the next one."""
    one = lanes.take(now, {}, at_once)
    return None if one is None else one.record.id


def test_owners_take_turns_and_their_calls_come_in_order() -> None:
    """However many one of them has."""
    lanes = lanes_of(*(waiting(f"a{n}") for n in range(3)), waiting("b0", BOB))
    assert [taken(lanes) for _ in range(5)] == ["a0", "b0", "a1", "a2", None]
    assert (len(lanes), lanes.taken) == (0, 4)


def test_an_owner_has_no_more_than_its_share() -> None:
    """Until one of its calls is over."""
    first = waiting("a0")
    lanes = lanes_of(first, waiting("a1"), waiting("a2"))
    assert [taken(lanes, at_once=1), taken(lanes, at_once=1)] == ["a0", None]
    assert lanes.take(0.0, {ALICE: 2}, 99) is not None
    assert lanes.take(0.0, {ALICE: 2}, 99) is None
    lanes.gone(first)
    lanes.gone(first)
    assert lanes.take(0.0, {ALICE: 2}, 99) is not None


def test_one_that_is_given_back_waits_before_the_others_until_it_is_due() -> None:
    """Those behind it do not wait for it."""
    first = waiting("a0")
    lanes = lanes_of(first, waiting("a1"), waiting("a2"))
    assert lanes.take(0.0, {}, 99) is first
    lanes.give_back(first, due=5.0)
    assert lanes.next_due(0.0) == 5.0
    assert taken(lanes, 1.0) == "a1"
    assert lanes.next_due(5.0) is None
    assert taken(lanes, 5.0) == "a0"
    assert lanes.of(ALICE) == 1


def test_what_is_gone_is_not_found() -> None:
    """Whether it waited or was taken."""
    first, second = waiting("a0"), waiting("a1")
    lanes = lanes_of(first, second)
    assert lanes.take(0.0, {}, 99) is first
    assert lanes.find(first.record.id) is first
    lanes.gone(first)
    lanes.gone(second)
    assert lanes.find(first.record.id) is lanes.find(second.record.id) is None
    assert (len(lanes), lanes.taken, taken(lanes)) == (0, 0, None)
