"""Calls that wait to be started: one body over every store."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tests.contract.store.records import at, execution, outcome
from wsmgr.core.execution import Execution, ExecutionState
from wsmgr.core.ids import ExecutionId
from wsmgr.ports.store import Store

CALL = b'{"input":"gr\xc3\xbc\xc3\x9fe"}\x00\xff'
URL = "https://platform.example/over?x=1"


def queued(name: str, seconds: float = 0) -> Execution:
    """A record that waits."""
    return execution(name, state=ExecutionState.QUEUED, seconds=seconds)


async def test_what_is_queued_is_there_with_its_call(store: Store) -> None:
    """The record, and the very bytes of what is to be run."""
    one = queued("q1")
    assert await store.enqueue(one, CALL, None) is None
    assert await store.execution(one.id) == one
    assert await store.queued() == [one]
    assert await store.queued_call(one.id) == CALL
    assert await store.queued_call(ExecutionId("q2")) is None


async def test_an_id_that_is_taken_is_not_queued(store: Store) -> None:
    """By a queued, a running or an ended execution: that record comes back, and nothing is kept besides."""
    one = queued("q1")
    await store.enqueue(one, CALL, None)
    assert await store.enqueue(replace(one, fingerprint="other"), b"other", URL) == one
    assert await store.queued_call(one.id) == CALL
    running = execution("r1")
    await store.begin(running)
    assert await store.enqueue(queued("r1"), CALL, URL) == running
    assert await store.queued() == [one]
    assert await store.begin(execution("q1")) == one


async def test_of_many_at_once_one_is_queued(store: Store) -> None:
    """The others get its record."""
    one = queued("q1")
    answers = await asyncio.gather(*[store.enqueue(one, CALL, URL) for _ in range(20)])
    assert answers.count(None) == 1
    assert answers.count(one) == 19


async def test_they_come_in_the_order_in_which_they_were_queued(store: Store) -> None:
    """Whatever their times and ids say."""
    for name, seconds in (("b", 5), ("a", 1), ("c", 3)):
        await store.enqueue(queued(name, seconds), CALL, None)
    assert [one.id for one in await store.queued()] == ["b", "a", "c"]


async def test_one_that_starts_runs_and_keeps_its_call(store: Store) -> None:
    """It may turn out not to have started, and then waits again; starting it twice is well."""
    one = queued("q1")
    await store.enqueue(one, CALL, None)
    running = replace(one, state=ExecutionState.RUNNING, queue_ms=7.5)
    assert await store.start_queued(running)
    assert await store.start_queued(running)
    assert await store.execution(one.id) == running
    assert await store.queued() == []
    assert await store.queued_call(one.id) == CALL
    await store.requeue(one.id)
    assert await store.queued() == [replace(running, state=ExecutionState.QUEUED)]


async def test_one_that_is_over_lets_go_of_its_call_and_does_not_start(store: Store) -> None:
    """The first end counts, whoever else would start, end or queue it again."""
    one = queued("q1")
    await store.enqueue(one, CALL, None)
    over = replace(one, state=ExecutionState.CANCELLED)
    assert await store.finish(over)
    assert not await store.finish(replace(one, state=ExecutionState.SUCCEEDED, outcome=outcome()))
    assert not await store.start_queued(replace(one, state=ExecutionState.RUNNING))
    await store.requeue(one.id)
    assert await store.execution(one.id) == over
    assert await store.queued_call(one.id) is None
    assert await store.queued() == []
    assert not await store.finish(replace(over, id=ExecutionId("unknown")))


async def test_after_a_crash_what_had_started_is_lost_and_the_rest_waits(store: Store) -> None:
    """Never repeated, never forgotten."""
    waits, started = queued("waits"), queued("started", 1)
    await store.enqueue(waits, CALL, None)
    await store.enqueue(started, CALL, URL)
    await store.start_queued(replace(started, state=ExecutionState.RUNNING))
    assert await store.lose_running() == 1
    assert await store.queued() == [waits]
    assert await store.queued_call(waits.id) == CALL
    lost = await store.execution(started.id)
    assert lost is not None
    assert lost.state is ExecutionState.LOST
    assert await store.queued_call(started.id) is None
    assert await store.due_callbacks(9) == [(started.id, URL)]


async def test_callbacks_are_due_when_the_execution_is_over(store: Store) -> None:
    """The oldest first, until they were made."""
    for name, seconds in (("young", 9), ("old", 1), ("waits", 0)):
        await store.enqueue(queued(name, seconds), CALL, f"{URL}&{name}")
    await store.enqueue(queued("silent"), CALL, None)
    assert await store.due_callbacks(9) == []
    for name, seconds in (("young", 9), ("old", 1), ("silent", 0)):
        await store.finish(execution(name, state=ExecutionState.SUCCEEDED, seconds=seconds, ended=outcome()))
    assert await store.due_callbacks(9) == [("old", f"{URL}&old"), ("young", f"{URL}&young")]
    assert await store.due_callbacks(1) == [("old", f"{URL}&old")]
    await store.called_back(ExecutionId("old"))
    await store.called_back(ExecutionId("old"))
    assert await store.due_callbacks(9) == [("young", f"{URL}&young")]


async def test_retention_leaves_what_waits_and_takes_callbacks_with_their_record(store: Store) -> None:
    """However old it is; what is over goes with all that belongs to it."""
    await store.enqueue(queued("waits", -100), CALL, URL)
    await store.enqueue(queued("over", -100), CALL, URL)
    await store.finish(execution("over", state=ExecutionState.SUCCEEDED, seconds=-100, ended=outcome()))
    assert await store.purge_executions(at(0), 9) == 1
    assert await store.due_callbacks(9) == []
    assert [one.id for one in await store.queued()] == ["waits"]
    assert await store.queued_call(ExecutionId("waits")) == CALL
