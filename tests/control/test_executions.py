"""Calls, from the owner's demand to the record."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.channel import Mood, failing
from tests.fakes.daemon import FakeDaemon, until
from wsmgr.core.errors import Conflict, EngineFailure, NeverStarted, NotFound, QuotaExceeded, ShuttingDown, TooLarge
from wsmgr.core.execution import ExecutionState
from wsmgr.core.ids import ExecutionId, Slug, WorkspaceId
from wsmgr.core.limits import FREE
from wsmgr.core.outcome import FailureType
from wsmgr.core.plugin import Language, PluginSource, version_of
from wsmgr.ports.channel import ChannelClosed


async def test_the_first_call_starts_the_workspace_and_the_second_finds_it(system: FakeDaemon) -> None:
    """Cold once, warm from then on; one container."""
    cold = await system.execute()
    warm = await system.execute()
    assert (cold.cold_start, warm.cold_start) == (True, False)
    assert cold.start_ms > 0 == warm.start_ms
    assert warm.outcome is not None
    assert warm.outcome.output == {"n": 1}
    assert [method for method, _ in system.engine.calls if method in {"create", "start"}] == ["create", "start"]


async def test_the_missing_version_is_pushed_once_for_many_callers(system: FakeDaemon) -> None:
    """Twenty calls at once: one start, one push, twenty answers."""
    records = await asyncio.gather(*(system.execute(input=n) for n in range(20)))
    assert [record.outcome.output for record in records if record.outcome] == list(range(20))
    assert [method for method, _ in system.channel.asked].count("put") == 1
    assert [method for method, _ in system.engine.calls].count("create") == 1


async def test_a_new_version_is_what_the_next_call_runs(system: FakeDaemon) -> None:
    """A put pushes to the live workspace, and calls name the version."""
    first = await system.execute()
    version = await system.put(code="export default () => 2")
    second = await system.execute()
    assert first.version != version == second.version
    assert system.runtime().plugins[Slug("echo")].version == version


async def test_a_plugin_that_fails_is_an_outcome(system: FakeDaemon) -> None:
    """Not an error of the call."""
    await system.execute()
    system.runtime().does["echo"] = failing(FailureType.EXCEPTION, "TypeError: no")
    record = await system.execute()
    assert record.state is ExecutionState.FAILED
    assert record.outcome is not None
    assert record.outcome.failure is not None
    assert record.outcome.failure.type is FailureType.EXCEPTION


async def test_unknown_plugins_and_versions_are_not_found(system: FakeDaemon) -> None:
    """Before any container is started."""
    with pytest.raises(NotFound):
        await system.execute(slug="nope")
    with pytest.raises(NotFound):
        await system.execute(version="0" * 64)
    assert not system.engine.running()


async def test_inline_code_runs_and_is_stored_nowhere(system: FakeDaemon) -> None:
    """The version comes with the call."""
    code = "export default () => 'inline'"
    source = PluginSource(Slug("once"), version_of(Language.JAVASCRIPT, code), Language.JAVASCRIPT, code)
    record = await system.execute(slug="once", inline=source)
    assert record.version == source.version
    with pytest.raises(NotFound):
        await system.execute(slug="once")


async def test_the_same_id_runs_once(system: FakeDaemon) -> None:
    """At the same time and later; the record says so without another run."""
    both = await asyncio.gather(system.execute(id="x"), system.execute(id="x"))
    later = await system.execute(id="x")
    assert both[0] == both[1]
    assert later.outcome == both[0].outcome
    assert len(system.runtime().calls) == 1


async def test_the_same_id_for_another_call_is_a_conflict(system: FakeDaemon) -> None:
    """While the first is under way and afterwards."""
    await system.execute()
    with system.channel.held("execute"):
        first = asyncio.create_task(system.execute(id="x"))
        await until(lambda: system.runtime().inflight == 1)
        with pytest.raises(Conflict):
            await system.execute(id="x", fingerprint="other")
    await first
    with pytest.raises(Conflict):
        await system.execute(id="x", fingerprint="other")


async def test_a_named_call_is_durable_before_it_starts_and_before_its_answer(system: FakeDaemon) -> None:
    """begin, then the plugin, then end; an unnamed call is only noted."""
    await system.execute()
    system.store.calls.clear()
    await system.execute(id="x")
    assert system.store.calls == ["begin", "end"]
    system.store.calls.clear()
    await system.execute()
    assert system.store.calls == ["note"]


async def test_a_named_call_that_never_started_may_be_tried_again(system: FakeDaemon) -> None:
    """Its begin is withdrawn, so that the same id is free."""
    system.engine.fail("create", EngineFailure("There is no such image."))
    with pytest.raises(NeverStarted, match="no such image"):
        await system.execute(id="x")
    assert await system.store.execution(ExecutionId("x")) is None
    record = await system.execute(id="x")
    assert record.state is ExecutionState.SUCCEEDED


async def test_a_runtime_that_is_gone_before_the_call_is_replaced_without_loss(system: FakeDaemon) -> None:
    """The call provably never started there: it runs in the next container."""
    await system.execute()
    system.die()
    record = await system.execute()
    assert record.state is ExecutionState.SUCCEEDED
    assert record.cold_start
    assert "workspace.failed" in system.actions()


async def test_a_call_under_which_the_workspace_dies_says_why(system: FakeDaemon) -> None:
    """A crash with its exit code; never a silent second run."""
    await system.execute()
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute())
        await until(lambda: system.runtime().inflight == 1)
        system.die(exit_code=137)
        record = await call
    assert record.outcome is not None
    assert record.outcome.failure is not None
    assert record.outcome.failure.type is FailureType.CRASH
    assert "signal 9" in record.outcome.failure.message


async def test_an_oom_kill_is_told_apart(system: FakeDaemon) -> None:
    """The kernel's kill is OutOfMemory, not a crash."""
    await system.execute()
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute())
        await until(lambda: system.runtime().inflight == 1)
        system.die(exit_code=137, oom_killed=True)
        record = await call
    assert record.outcome is not None
    assert record.outcome.failure is not None
    assert record.outcome.failure.type is FailureType.OUT_OF_MEMORY


async def test_a_dropped_connection_with_a_living_runtime_is_lost(system: FakeDaemon) -> None:
    """It had started: nobody knows what became of it, and it is not run again."""
    await system.execute()
    system.channel.fail("execute", ChannelClosed("The connection ended before an answer.", sent=True))
    record = await system.execute()
    assert record.outcome is not None
    assert record.outcome.failure is not None
    assert record.outcome.failure.type is FailureType.LOST


@pytest.mark.parametrize(("mood", "type_"), [(Mood.SILENT, FailureType.TIMEOUT), (Mood.GARBLED, FailureType.CRASH)])
async def test_a_runtime_that_misbehaves_is_replaced(system: FakeDaemon, mood: Mood, type_: FailureType) -> None:
    """A hang and a broken protocol end the instance; the next call gets a fresh one."""
    await system.execute()
    before = system.engine.boxes(WorkspaceId("user:alice"))
    system.runtime().mood = mood
    record = await system.execute()
    assert record.outcome is not None
    assert record.outcome.failure is not None
    assert record.outcome.failure.type is type_
    again = await system.execute()
    assert again.state is ExecutionState.SUCCEEDED
    assert system.engine.boxes(WorkspaceId("user:alice")) != before


async def test_turns_are_bounded_and_the_queue_too(system: FakeDaemon) -> None:
    """No more run at once than the plan allows, the others wait, and a full queue refuses."""
    await system.execute()
    limits = FREE.limits
    with system.channel.held("execute"):
        calls = [
            asyncio.create_task(system.execute(input=n))
            for n in range(limits.concurrent_executions + limits.queue_length)
        ]
        await until(lambda: system.runtime().inflight == limits.concurrent_executions)
        with pytest.raises(QuotaExceeded):
            await system.execute()
        assert system.runtime().inflight == limits.concurrent_executions
    records = await asyncio.gather(*calls)
    assert all(record.state is ExecutionState.SUCCEEDED for record in records)
    assert records[-1].queue_ms >= 0


async def test_waiting_too_long_for_a_turn_is_never_started(system: FakeDaemon) -> None:
    """Safe to retry, and the turn is not lost."""
    await system.execute()
    with system.channel.held("execute"):
        running = [asyncio.create_task(system.execute()) for _ in range(FREE.limits.concurrent_executions)]
        await until(lambda: system.runtime().inflight == FREE.limits.concurrent_executions)
        with pytest.raises(NeverStarted, match="waited"):
            await system.execute()
    await asyncio.gather(*running)
    assert (await system.execute()).state is ExecutionState.SUCCEEDED


async def test_a_call_too_large_for_the_plan_is_refused(system: FakeDaemon) -> None:
    """Before anything is started."""
    with pytest.raises(TooLarge):
        await system.execute(size=10 * FREE.limits.input_bytes)
    assert not system.engine.running()


async def test_the_input_of_small_calls_is_kept(system: FakeDaemon) -> None:
    """By the size of the call, so that records stay small whatever people send."""
    small = await system.execute(input={"n": 1}, size=16_384)
    assert (small.input, small.input_kept) == ({"n": 1}, True)
    large = await system.execute(input={"n": 2}, size=16_385)
    assert (large.input, large.input_kept) == (None, False)


async def test_one_owner_has_no_more_workspaces_than_its_plan_allows(system: FakeDaemon) -> None:
    """A hundred simultaneous first calls to different workspaces of a FREE owner run in exactly one."""
    names = [f"user:alice~w{n}" for n in range(100)]
    results = await asyncio.gather(*(system.execute(name) for name in names), return_exceptions=True)
    refused = [result for result in results if isinstance(result, QuotaExceeded)]
    assert len(refused) == 99
    assert len(system.engine.running()) == 1


async def test_a_stopping_daemon_refuses_and_lets_calls_end(system: FakeDaemon) -> None:
    """In flight ends well, new is refused as retryable, containers go."""
    await system.execute()
    with system.channel.held("execute"):
        call = asyncio.create_task(system.execute())
        await until(lambda: system.runtime().inflight == 1)
        stopping = asyncio.create_task(system.stop())
        await until(lambda: system.daemon.executions.refusing)
        with pytest.raises(ShuttingDown):
            await system.execute()
    assert (await call).state is ExecutionState.SUCCEEDED
    await stopping
    assert not system.engine.running()
    assert system.engine.boxes(WorkspaceId("user:alice")) == []


async def test_the_first_call_says_that_it_made_the_workspace(system: FakeDaemon) -> None:
    """Once, however many first calls come together."""
    await asyncio.gather(*(system.execute() for _ in range(5)))
    assert system.actions().count("workspace.created") == 1
