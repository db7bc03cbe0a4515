"""Who makes room on a host that is full."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsmgr.core.capacity import Holder, make_room
from wsmgr.core.errors import HostFull
from wsmgr.core.ids import WorkspaceId


def holder(name: str, memory_mb: int, idle_s: float, *, busy: bool = False) -> Holder:
    """One that runs."""
    return Holder(WorkspaceId(name), memory_mb, idle_s, busy)


OLD, NEW, BIG, BUSY = (
    holder("old", 100, 90),
    holder("new", 100, 1),
    holder("big", 300, 50),
    holder("b", 100, 0, busy=True),
)


@pytest.mark.parametrize(
    ("holders", "needed_mb", "budget_mb", "going"),
    [
        ([], 100, 100, ()),
        ([OLD], 100, 200, ()),
        ([NEW, OLD], 100, 250, ("old",)),
        ([NEW, OLD], 150, 250, ("old",)),
        ([NEW, OLD], 200, 250, ("old", "new")),
        ([NEW, OLD, BUSY], 100, 300, ("old",)),
        ([BUSY, NEW], 100, 200, ("new",)),
        ([OLD, BIG], 300, 400, ("big",)),
        ([OLD, BIG, NEW], 400, 500, ("old", "big")),
    ],
)
def test_the_longest_idle_go_first(holders: list[Holder], needed_mb: int, budget_mb: float, going: tuple[str]) -> None:
    """Never one that is busy, and none in vain."""
    assert make_room(holders, needed_mb=needed_mb, budget_mb=budget_mb) == going


@pytest.mark.parametrize(
    ("holders", "needed_mb", "budget_mb"), [([], 101, 100), ([BUSY], 100, 150), ([BUSY, NEW], 250, 300)]
)
def test_a_full_host_says_so_with_figures(holders: list[Holder], needed_mb: int, budget_mb: float) -> None:
    """Retryable, with Retry-After."""
    with pytest.raises(HostFull) as caught:
        make_room(holders, needed_mb=needed_mb, budget_mb=budget_mb)
    error = caught.value
    assert (error.code, error.status, error.retryable) == ("host_full", 503, True)
    assert error.retry_after
    assert error.details == {
        "budgetMb": budget_mb,
        "heldMb": sum(one.memory_mb for one in holders),
        "neededMb": needed_mb,
        "running": len(holders),
    }


HOLDERS = st.lists(st.tuples(st.integers(1, 9), st.floats(0, 100), st.booleans()), max_size=8).map(
    lambda rows: [holder(f"w{n}", memory, idle, busy=busy) for n, (memory, idle, busy) in enumerate(rows)]
)


@given(holders=HOLDERS, needed=st.integers(1, 9), budget=st.integers(1, 60))
def test_room_is_made_exactly(holders: list[Holder], needed: int, budget: int) -> None:
    """Afterwards it fits, no busy one goes, and each that goes is needed; refused only when it cannot fit."""
    try:
        going = set(make_room(holders, needed_mb=needed, budget_mb=budget))
    except HostFull:
        assert sum(one.memory_mb for one in holders if one.busy) + needed > budget
        return
    stay = sum(one.memory_mb for one in holders if one.workspace not in going)
    if not going:
        assert stay + needed <= budget
    for one in holders:
        if one.workspace in going:
            assert not one.busy
            assert stay + needed + one.memory_mb > budget
    assert stay + needed <= budget
