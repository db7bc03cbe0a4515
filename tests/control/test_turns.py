"""Turns are fair, bounded, and never lost."""

from __future__ import annotations

import asyncio

import pytest

from wsmgr.control.turns import Turns
from wsmgr.core.errors import NeverStarted


async def test_first_come_first_served() -> None:
    """The queue's order is the order of arrival."""
    turns, served = Turns(), list[int]()

    async def call(number: int) -> None:
        await turns.take(1, 60)
        served.append(number)
        await asyncio.sleep(1)
        turns.give_back(1)

    await asyncio.gather(*(call(number) for number in range(10)))
    assert served == list(range(10))
    assert (turns.running, turns.queued) == (0, 0)


async def test_a_cancelled_waiter_takes_no_turn() -> None:
    """Also when its turn came in the same moment."""
    turns = Turns()
    await turns.take(1, 60)
    waiter = asyncio.create_task(turns.take(1, 60))
    await asyncio.sleep(0)
    turns.give_back(1)
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)
    assert (turns.running, turns.queued) == (0, 0)


async def test_a_waiter_gives_up_at_its_deadline() -> None:
    """And the next one still gets its turn."""
    turns = Turns()
    await turns.take(1, 60)
    with pytest.raises(NeverStarted):
        await turns.take(1, 5)
    turns.give_back(1)
    await turns.take(1, 5)
    assert turns.running == 1


async def test_a_smaller_plan_lets_turns_lapse() -> None:
    """A turn that is given back is handed on only while there is room."""
    turns = Turns()
    for _ in range(4):
        await turns.take(4, 60)
    waiter = asyncio.create_task(turns.take(2, 60))
    await asyncio.sleep(0)
    turns.give_back(2)
    turns.give_back(2)
    assert turns.running == 2
    turns.give_back(2)
    await waiter
    assert turns.running == 2
