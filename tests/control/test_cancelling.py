"""Ending executions by their id, and hearing what they say until then."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.daemon import FakeDaemon, request, until
from wsmgr.core.errors import Conflict, NotFound
from wsmgr.core.execution import Execution, ExecutionState
from wsmgr.core.ids import ExecutionId
from wsmgr.core.limits import FREE
from wsmgr.core.outcome import Emitted, FailureType, LogEntry

SAID = (LogEntry(0.5, "log", "one"), Emitted({"part": 1}))
X = ExecutionId("x")


def is_cancelled(record: Execution | None) -> bool:
    """Whether a record says that its caller cancelled it."""
    if record is None or record.outcome is None or record.outcome.failure is None:
        return False
    failure = record.outcome.failure
    assert failure.type is FailureType.CANCELLED
    return record.state is ExecutionState.CANCELLED and "by its caller" in failure.message


async def test_a_running_call_is_cancelled_and_its_record_says_so(system: FakeDaemon) -> None:
    """The runtime ends it; what was printed is kept, the caller gets the same outcome, and a retry too."""
    await system.execute()
    system.runtime().says["echo"] = SAID
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute(id="x"))
        await until(lambda: system.runtime().inflight == 1)
        record = await system.daemon.cancelling.cancel(X)
    assert is_cancelled(record)
    assert record == await call == await system.execute(id="x")
    assert record is not None
    assert record.outcome is not None
    assert record.outcome.logs == (SAID[0],)
    assert system.runtime().ended == [X]
    assert (await system.execute()).state is ExecutionState.SUCCEEDED


async def test_a_runtime_that_does_not_end_it_is_left(system: FakeDaemon) -> None:
    """The connection is closed, which ends the execution as well."""
    await system.execute()
    with system.channel.held("execute"), system.channel.held("cancel"):
        call = asyncio.create_task(system.execute(id="x"))
        await until(lambda: system.runtime().inflight == 1)
        system.runtime().running.clear()
        cancelling = asyncio.create_task(system.daemon.cancelling.cancel(X))
        await until(lambda: ("cancel", system.channel.asked[0][1]) in system.channel.asked)
    assert is_cancelled(await cancelling)
    assert is_cancelled(await call)
    assert len(system.runtime().cancelled) == 1


async def test_a_call_that_waits_for_its_turn_is_cancelled(system: FakeDaemon) -> None:
    """It never reaches the runtime, and gives its place to the next."""
    await system.execute()
    with system.channel.held("execute"):
        running = [asyncio.create_task(system.execute()) for _ in range(FREE.limits.concurrent_executions)]
        await until(lambda: system.runtime().inflight == FREE.limits.concurrent_executions)
        waiting = asyncio.create_task(system.execute(id="x"))
        behind = asyncio.create_task(system.execute(id="y"))
        await until(lambda: system.daemon.flights.find(ExecutionId("y")) is not None)
        await asyncio.sleep(0.1)
        assert is_cancelled(await system.daemon.cancelling.cancel(X))
        assert is_cancelled(await waiting)
    await asyncio.gather(*running)
    assert (await behind).state is ExecutionState.SUCCEEDED
    assert X not in [call.execution for call in system.runtime().calls]


async def test_a_call_that_waits_for_a_start_is_cancelled(system: FakeDaemon) -> None:
    """The workspace may start nevertheless."""
    with system.engine.held("start"):
        call = asyncio.create_task(system.execute(id="x"))
        await until(lambda: system.daemon.flights.find(X) is not None)
        await asyncio.sleep(0.1)
        assert is_cancelled(await system.daemon.cancelling.cancel(X))
        assert is_cancelled(await call)
    assert (await system.execute()).state is ExecutionState.SUCCEEDED


async def test_what_is_over_or_unknown_cannot_be_cancelled(system: FakeDaemon) -> None:
    """404 and 409; a second cancellation finds it over."""
    with pytest.raises(NotFound):
        await system.daemon.cancelling.cancel(X)
    await system.execute(id="x")
    with pytest.raises(Conflict, match="is over: succeeded"):
        await system.daemon.cancelling.cancel(X)
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute(id="y"))
        await until(lambda: system.runtime().inflight == 1)
        await system.daemon.cancelling.cancel(ExecutionId("y"))
    await call
    with pytest.raises(Conflict, match="is over: cancelled"):
        await system.daemon.cancelling.cancel(ExecutionId("y"))


async def test_a_listener_hears_what_the_record_holds(system: FakeDaemon) -> None:
    """All pieces before the outcome; the record is that of a plain call."""
    await system.execute()
    system.runtime().says["echo"] = SAID
    heard: list[LogEntry | Emitted] = []

    async def listen(piece: LogEntry | Emitted) -> None:
        heard.append(piece)

    executions = system.daemon.executions
    flight = executions.flight(request(), listen)
    record = await executions.fly(flight)
    assert tuple(heard) == SAID
    assert record.id == flight.id
    assert record.state is ExecutionState.SUCCEEDED
    assert await system.store.execution(flight.id) == record


async def test_one_who_leaves_cancels_unless_others_wait(system: FakeDaemon) -> None:
    """The one who joined keeps it running; alone it ends."""
    await system.execute()
    executions, flights = system.daemon.executions, system.daemon.flights
    with system.channel.held("execute"):
        first = executions.flight(request(id="x"))
        call = asyncio.create_task(executions.fly(first))
        await until(lambda: system.runtime().inflight == 1)
        joined = asyncio.create_task(system.execute(id="x"))
        await until(lambda: first.joined == 1)
        await flights.leave(first)
        assert system.runtime().inflight == 1
    assert (await call).state is ExecutionState.SUCCEEDED
    assert await joined == await call
    with system.channel.held("execute"):
        alone = executions.flight(request(id="y"))
        call = asyncio.create_task(executions.fly(alone))
        await until(lambda: system.runtime().inflight == 1)
        await flights.leave(alone)
        assert is_cancelled(await call)
