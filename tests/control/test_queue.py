"""Calls that are not waited for: kept, started in turn, at most once, across every end of the daemon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.control.test_cancelling import is_cancelled
from tests.fakes.channel import Mood
from tests.fakes.daemon import FakeDaemon, request, until
from wsmgr.control.queue import GIVE_UP_S
from wsmgr.core.errors import Conflict, EngineFailure, NotFound, QuotaExceeded, ShuttingDown, StoreUnavailable, TooLarge
from wsmgr.core.execution import Execution, ExecutionState
from wsmgr.core.ids import ExecutionId, Slug
from wsmgr.core.limits import FREE
from wsmgr.core.outcome import FailureType
from wsmgr.core.plugin import Language, PluginSource, version_of

X = ExecutionId("x")
AWAY = StoreUnavailable("The database is away.")


async def put(system: FakeDaemon, name: str | None = "x", workspace: str = "user:alice", **more: object) -> Execution:
    """Queue a call of echo."""
    callback = more.pop("callback", None)
    assert callback is None or isinstance(callback, str)
    return await system.daemon.queue.put(request(workspace, id=name, **more), callback)


async def state(system: FakeDaemon, name: str = "x") -> ExecutionState | None:
    """What its record says."""
    record = await system.store.execution(ExecutionId(name))
    return None if record is None else record.state


async def over(system: FakeDaemon, name: str = "x") -> Execution:
    """Its record, once it is over."""
    async with asyncio.timeout(2 * GIVE_UP_S):
        while True:
            record = await system.store.execution(ExecutionId(name))
            if record is not None and record.state.over:
                return record
            await asyncio.sleep(0.05)


@pytest.fixture
async def next_daemon(system: FakeDaemon, tmp_path: Path) -> AsyncIterator[FakeDaemon]:
    """The one that starts after this one has died; not started yet."""
    following = FakeDaemon(tmp_path)
    yield following
    if following.daemon.lifecycle._tasks and not following.daemon.executions.refusing:
        await following.stop()


async def test_a_queued_call_runs_and_its_record_says_how(system: FakeDaemon) -> None:
    """Queued first, then as any other; how long it waited is in the record."""
    record = await put(system, context={"locale": "de"})
    assert (record.state, record.outcome) == (ExecutionState.QUEUED, None)
    done = await over(system)
    assert done.state is ExecutionState.SUCCEEDED
    assert done.outcome is not None
    assert done.outcome.output == {"n": 1}
    assert done.created_at == record.created_at
    assert done.queue_ms >= 0
    assert system.runtime().calls[0].context["locale"] == "de"
    assert await system.store.queued_call(X) is None


async def test_inline_code_and_an_id_of_ours(system: FakeDaemon) -> None:
    """Code that came with the call is kept with it."""
    code = "export default () => 'inline'"
    source = PluginSource(Slug("once"), version_of(Language.JAVASCRIPT, code), Language.JAVASCRIPT, code)
    record = await put(system, None, slug="once", inline=source)
    assert (await over(system, record.id)).version == source.version


async def test_it_is_kept_before_it_is_acknowledged(system: FakeDaemon) -> None:
    """A store that does not take it is an error of the call, and nothing runs."""
    system.store.fail_next("enqueue", AWAY)
    with pytest.raises(StoreUnavailable):
        await put(system)
    await asyncio.sleep(120)
    assert await state(system) is None
    assert not system.engine.running()


async def test_the_same_id_is_queued_once(system: FakeDaemon) -> None:
    """Again, at the same time, for another call, and as a plain call before and after."""
    with system.channel.held("execute"):
        first, second = await asyncio.gather(put(system), put(system))
        assert first == second
        with pytest.raises(Conflict, match="was used for another call"):
            await put(system, fingerprint="other")
        await until(lambda: any(one.inflight for one in system.channel._runtimes.values()))
        plain = asyncio.create_task(system.execute(id="x"))
        await asyncio.sleep(0.1)
    done = await over(system)
    assert await plain == await put(system) == await system.execute(id="x") == done
    assert len(system.runtime().calls) == 1
    ended = await system.execute(id="y")
    assert await put(system, "y") == ended


async def test_a_plain_call_does_not_run_what_waits(system: FakeDaemon) -> None:
    """It is told to ask for the record: nothing is run twice, or out of turn."""
    system.daemon.queue._at_once = 0
    await put(system)
    with pytest.raises(Conflict, match="is in the queue"):
        await system.execute(id="x")
    assert await state(system) is ExecutionState.QUEUED


async def test_what_could_never_run_is_refused_at_once(system: FakeDaemon) -> None:
    """An unknown plugin, too large an input, a full queue, a daemon that stops."""
    with pytest.raises(NotFound):
        await put(system, slug="nope")
    with pytest.raises(TooLarge):
        await put(system, size=10 * FREE.limits.input_bytes)
    system.daemon.queue._at_once = 0
    for number in range(FREE.limits.async_queue_length):
        await put(system, f"q{number}")
    with pytest.raises(QuotaExceeded) as caught:
        await put(system)
    assert caught.value.details["limit"] == "asyncQueueLength"
    assert (await put(system, "q0")).state is ExecutionState.QUEUED
    await system.put("user:bob")
    await put(system, "bob", "user:bob")
    await system.daemon.queue.stop()
    with pytest.raises(ShuttingDown):
        await put(system)


async def test_owners_take_turns_and_nobody_has_all_places(tmp_path: Path) -> None:
    """One with many slow calls leaves room for the one who comes later."""
    system = await FakeDaemon(tmp_path, async_concurrency=4).start()
    await system.put()
    await system.put("user:bob")
    with system.channel.held("execute"):
        for number in range(10):
            await put(system, f"a{number}")
        await put(system, "b", "user:bob")
        await until(lambda: sum(one.inflight for one in system.channel._runtimes.values()) == 3)
        assert await state(system, "b") is ExecutionState.RUNNING
        assert [await state(system, f"a{number}") for number in range(3)] == ["running", "running", "queued"]
    for number in range(10):
        await over(system, f"a{number}")
    assert sorted(call.execution for call in system.runtime().calls) == [f"a{number}" for number in range(10)]
    await system.stop()


async def test_one_that_cannot_start_yet_is_tried_again(system: FakeDaemon) -> None:
    """It waits as queued meanwhile."""
    system.engine.fail("create", EngineFailure("There is no such image."))
    await put(system)
    await until(lambda: system.daemon.queue._lanes.next_due(0) is not None)
    assert await state(system) is ExecutionState.QUEUED
    assert (await over(system)).state is ExecutionState.SUCCEEDED


async def test_one_that_can_never_start_ends_as_such(system: FakeDaemon) -> None:
    """Its plugin was removed meanwhile; the record says that it did not run."""
    system.daemon.queue._at_once = 0
    await put(system)
    await system.daemon.plugins.delete("user:alice", Slug("echo"), "uid:0")  # type: ignore[arg-type]
    system.daemon.queue._at_once = 4
    await system.daemon.queue.load()
    done = await over(system)
    assert done.state is ExecutionState.FAILED
    assert done.outcome is not None
    assert done.outcome.failure is not None
    assert done.outcome.failure.type is FailureType.NEVER_STARTED


async def test_a_waiting_one_is_cancelled_and_does_not_run(system: FakeDaemon) -> None:
    """Its record is over at once; a second time is a conflict."""
    system.daemon.queue._at_once = 0
    await put(system)
    assert is_cancelled(await system.daemon.cancelling.cancel(X))
    assert is_cancelled(await system.store.execution(X))
    with pytest.raises(Conflict):
        await system.daemon.cancelling.cancel(X)
    system.daemon.queue._at_once = 4
    await system.daemon.queue.load()
    await asyncio.sleep(120)
    assert not system.engine.running()


async def test_one_that_waits_for_its_workspace_is_cancelled(system: FakeDaemon) -> None:
    """It was taken from the queue, and had not started."""
    with system.engine.held("start"):
        await put(system)
        await until(lambda: system.daemon.flights.find(X) is not None)
        await asyncio.sleep(0.1)
        assert await state(system) is ExecutionState.QUEUED
        assert is_cancelled(await system.daemon.cancelling.cancel(X))
    assert await system.store.queued_call(X) is None


async def test_a_running_one_is_cancelled(system: FakeDaemon) -> None:
    """As a plain call is."""
    with system.channel.held("execute"):
        await put(system)
        await until(lambda: any(one.inflight for one in system.channel._runtimes.values()))
        assert is_cancelled(await system.daemon.cancelling.cancel(X))


async def test_shutdown_leaves_queued_ones_queued(system: FakeDaemon, next_daemon: FakeDaemon) -> None:
    """Those that run end well, those that wait run in the next daemon, each once."""
    limit = FREE.limits.concurrent_executions
    with system.channel.held("execute"):
        for number in range(limit + 2):
            await put(system, f"q{number}")
        await until(lambda: sum(one.inflight for one in system.channel._runtimes.values()) == limit)
        stopping = asyncio.create_task(system.stop())
        await until(lambda: system.daemon.executions.refusing)
        calls = system.runtime().calls
    await stopping
    system.store._is_open = True
    assert [await state(system, f"q{number}") for number in range(limit + 2)] == ["succeeded"] * limit + ["queued"] * 2
    system.store._is_open = False
    next_daemon.adopt_world_of(system)
    next_daemon.channel.closed = False
    await next_daemon.start()
    for number in range(limit, limit + 2):
        assert (await over(next_daemon, f"q{number}")).state is ExecutionState.SUCCEEDED
    every = [call.execution for call in (*calls, *next_daemon.runtime().calls)]
    assert sorted(every) == sorted(set(every))


@pytest.mark.parametrize("held", ["engine", "channel"])
async def test_after_a_crash_what_had_started_is_lost_and_what_had_not_runs(
    system: FakeDaemon, next_daemon: FakeDaemon, held: str
) -> None:
    """Killed while its workspace starts, it runs in the next daemon; killed while it runs, it is lost, and runs no
    more."""
    if held == "engine":
        with system.engine.held("start"):
            await put(system)
            await until(lambda: system.daemon.flights.find(X) is not None)
            await asyncio.sleep(0.1)
            await system.crash()
    else:
        with system.channel.held("execute"):
            await put(system)
            await until(lambda: any(one.inflight for one in system.channel._runtimes.values()))
            await system.crash()
    next_daemon.adopt_world_of(system)
    await next_daemon.start()
    done = await over(next_daemon)
    calls = [call for one in next_daemon.channel._runtimes.values() for call in one.calls]
    if held == "engine":
        assert done.state is ExecutionState.SUCCEEDED
    else:
        assert (done.state, done.outcome) == (ExecutionState.LOST, None)
        await asyncio.sleep(120)
    assert len(calls) == 1


@pytest.mark.parametrize("step", ["enqueue", "start_queued", "finish"])
async def test_a_crash_behind_each_durable_step(system: FakeDaemon, next_daemon: FakeDaemon, step: str) -> None:
    """Right after the queue has taken it, after its begin, after its end: run once, lost, and over."""
    reached = asyncio.Event()
    real = getattr(system.store, step)

    async def crashing(*arguments: object) -> object:
        result = await real(*arguments)
        reached.set()
        await asyncio.Event().wait()
        return result

    setattr(system.store, step, crashing)
    putting = asyncio.create_task(put(system))
    await reached.wait()
    putting.cancel()
    await system.crash()
    delattr(system.store, step)
    next_daemon.adopt_world_of(system)
    await next_daemon.start()
    done = await over(next_daemon)
    calls = [call for one in next_daemon.channel._runtimes.values() for call in one.calls]
    expected = {"enqueue": (1, "succeeded"), "start_queued": (0, "lost"), "finish": (1, "succeeded")}
    assert (len(calls), done.state) == expected[step]


async def test_an_end_that_the_store_does_not_take_is_written_behind(system: FakeDaemon) -> None:
    """It ran, and is never run again."""
    system.store.fail_next("finish", AWAY)
    await put(system)
    assert (await over(system)).state is ExecutionState.SUCCEEDED
    await asyncio.sleep(30)
    assert len(system.runtime().calls) == 1


async def test_a_begin_that_the_store_does_not_take_is_tried_again(system: FakeDaemon) -> None:
    """It did not start, so that it may."""
    system.store.fail_next("start_queued", AWAY)
    await put(system)
    assert (await over(system)).state is ExecutionState.SUCCEEDED
    assert len(system.runtime().calls) == 1


async def test_one_whose_runtime_dies_under_it_is_not_repeated(system: FakeDaemon) -> None:
    """It had started: the record says what is known."""
    await system.execute()
    system.runtime().mood = Mood.DYING
    await put(system)
    done = await over(system)
    assert done.state is ExecutionState.FAILED
    assert done.outcome is not None
    assert done.outcome.failure is not None
    assert done.outcome.failure.type in {FailureType.LOST, FailureType.CRASH}
