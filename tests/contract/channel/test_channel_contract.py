"""The contract of `wsmgr.ports.channel.Channel`, held by every channel."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from tests.contract.channel.rig import GRACE_S, HELLO, Rig, call
from tests.fakes.channel import Mood, failing
from wsmgr.core.ids import ExecutionId
from wsmgr.core.masking import Mask
from wsmgr.core.outcome import Emitted, Failure, FailureType, LogEntry, Outcome
from wsmgr.core.plugin_settings import PluginSettings
from wsmgr.core.secret import Secret, SecretName
from wsmgr.ports.channel import (
    Call,
    ChannelClosed,
    ChannelTimeout,
    Listener,
    ProtocolViolation,
    RuntimeBusy,
    UnknownVersion,
)

Method = Callable[[Rig], Awaitable[object]]

METHODS: dict[str, Method] = {
    "health": lambda rig: rig.channel.health(rig.at, 0.3),
    "put": lambda rig: rig.channel.put(rig.at, HELLO, 0.3),
    "delete": lambda rig: rig.channel.delete(rig.at, HELLO.slug, 0.3),
    "execute": lambda rig: rig.channel.execute(rig.at, call(timeout_s=0.1)),
    "execute and listen": lambda rig: rig.channel.execute(rig.at, call(timeout_s=0.1), _deaf),
    "cancel": lambda rig: rig.channel.cancel(rig.at, ExecutionId("e1"), 0.3),
}
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())

FROM_THE_RUNTIME = [type_ for type_ in FailureType if type_ not in (FailureType.LOST, FailureType.NEVER_STARTED)]
SAID = (LogEntry(0.5, "log", "one"), Emitted({"part": 1}), Emitted(None), LogEntry(1.5, "error", "two\nlines"))


async def _deaf(_piece: LogEntry | Emitted) -> None:
    """Hears nothing."""


async def _pushed(rig: Rig) -> None:
    assert await rig.channel.put(rig.at, HELLO, 1.0) is None


async def test_a_call_reaches_the_plugin_as_it_was_made(rig: Rig) -> None:
    """Every field of the call arrives, and the output comes back as JSON has it."""
    await _pushed(rig)
    value: object = {"text": "grüße \U0001f600 \u2028", "numbers": [1, -2.5, 0, 2**53], "none": None, "deep": [[[{}]]]}
    asked = call("e-7", value=value, timeout_s=1.25)
    outcome = await rig.channel.execute(rig.at, asked)
    assert outcome.failure is None
    assert outcome.output == value
    assert rig.steering.runtime.calls == [asked]


async def test_settings_go_with_the_code(rig: Rig) -> None:
    """They arrive as they are, and make another version of it: a call that wants other settings is told so, and health
    names the plain version."""
    secrets = {SecretName("KEY"): Secret("hunter2 ключ\n")}
    settings = PluginSettings({"deep": [{"a": None}]}, secrets, "r1", Mask(secrets.values()))
    assert await rig.channel.put(rig.at, HELLO, 1.0, settings) is None
    held = rig.steering.runtime.settings[HELLO.slug]
    assert (held.config, held.secrets, held.revision) == (settings.config, secrets, "r1")
    for revision in ("", "r2"):
        with pytest.raises(UnknownVersion):
            await rig.channel.execute(rig.at, replace(call(), revision=revision))
    assert (await rig.channel.execute(rig.at, replace(call(value=1), revision="r1"))).output == 1
    assert (await rig.channel.health(rig.at, 1.0)).plugins == {"hello": HELLO.version}
    await _pushed(rig)
    assert rig.steering.runtime.settings[HELLO.slug].secrets == {}
    assert (await rig.channel.execute(rig.at, call(value=2))).output == 2


async def test_logs_and_duration_come_back(rig: Rig) -> None:
    """What a plugin printed comes back in order, with its times, and the mark that some is missing."""
    await _pushed(rig)
    entries = (LogEntry(0.5, "log", "one"), LogEntry(1.0, "error", "two\nlines"))
    told = Outcome([1], None, entries, logs_truncated=True, duration_ms=12.25)
    rig.steering.runtime.does["hello"] = lambda _call: told
    assert await rig.channel.execute(rig.at, call()) == told


@pytest.mark.parametrize("type_", FROM_THE_RUNTIME)
async def test_failures_are_outcomes(rig: Rig, type_: FailureType) -> None:
    """Every way in which user code fails is an outcome, never an exception."""
    await _pushed(rig)
    rig.steering.runtime.does["hello"] = failing(type_, "because")
    outcome = await rig.channel.execute(rig.at, call())
    assert outcome.failure == Failure(type_, "because")
    assert outcome.output is None


async def test_an_unknown_version_is_said_so_that_it_can_be_pushed(rig: Rig) -> None:
    """Never pushed, and pushed in another version: both are UnknownVersion; after the push the call works."""
    with pytest.raises(UnknownVersion):
        await rig.channel.execute(rig.at, call())
    await _pushed(rig)
    with pytest.raises(UnknownVersion):
        await rig.channel.execute(rig.at, call(version="0" * 64))
    assert (await rig.channel.execute(rig.at, call(value=1))).output == 1


async def test_a_version_that_does_not_load_is_a_failure_and_the_old_one_serves(rig: Rig) -> None:
    """The reason comes back, nothing is replaced."""
    await _pushed(rig)
    why = Failure(FailureType.LOAD_ERROR, "Unexpected token", "plugin:hello:1", "SyntaxError")
    rig.steering.runtime.refuses["hello"] = why
    broken = replace(HELLO, code="export default (", version=call(version="1" * 64).version)
    assert await rig.channel.put(rig.at, broken, 1.0) == why
    assert (await rig.channel.execute(rig.at, call(value=2))).output == 2


async def test_health_tells_what_the_runtime_holds(rig: Rig) -> None:
    """Status, counts, and the version of each plugin."""
    await _pushed(rig)
    await rig.channel.execute(rig.at, call())
    health = await rig.channel.health(rig.at, 1.0)
    assert (health.status, health.inflight, health.executions) == ("healthy", 0, 1)
    assert health.plugins == {"hello": HELLO.version}


async def test_delete_is_idempotent(rig: Rig) -> None:
    """A deleted plugin is unknown; deleting it again is success."""
    await _pushed(rig)
    await rig.channel.delete(rig.at, HELLO.slug, 1.0)
    await rig.channel.delete(rig.at, HELLO.slug, 1.0)
    with pytest.raises(UnknownVersion):
        await rig.channel.execute(rig.at, call())


async def test_a_draining_runtime_is_busy_and_still_tells_its_health(rig: Rig) -> None:
    """The call never started; when the runtime is well again it does."""
    await _pushed(rig)
    rig.steering.runtime.mood = Mood.DRAINING
    with pytest.raises(RuntimeBusy):
        await rig.channel.execute(rig.at, call())
    assert (await rig.channel.health(rig.at, 1.0)).status == "draining"
    rig.steering.runtime.mood = Mood.WELL
    assert (await rig.channel.execute(rig.at, call(value=3))).output == 3


@every_method
async def test_where_nothing_listens_nothing_was_sent(rig: Rig, method: Method) -> None:
    """A runtime that is not there: ChannelClosed, and surely not sent."""
    rig.steering.kill()
    with pytest.raises(ChannelClosed) as caught:
        await method(rig)
    assert not caught.value.sent
    assert str(caught.value)


@every_method
async def test_a_connection_that_ends_instead_of_an_answer_may_have_been_acted_on(rig: Rig, method: Method) -> None:
    """The request was taken and the connection dropped: ChannelClosed, sent."""
    rig.steering.runtime.mood = Mood.DYING
    with pytest.raises(ChannelClosed) as caught:
        await method(rig)
    assert caught.value.sent


@every_method
async def test_an_answer_that_is_not_the_contracts_is_a_violation(rig: Rig, method: Method) -> None:
    """HTML instead of JSON; the same request is answered once the runtime is well."""
    await _pushed(rig)
    rig.steering.runtime.mood = Mood.GARBLED
    with pytest.raises(ProtocolViolation):
        await method(rig)
    rig.steering.runtime.mood = Mood.WELL
    await method(rig)


@every_method
async def test_silence_is_bounded(rig: Rig, method: Method) -> None:
    """No answer: ChannelTimeout at the bound, not before and not much later."""
    await _pushed(rig)
    rig.steering.runtime.mood = Mood.SILENT
    begin = time.monotonic()
    with pytest.raises(ChannelTimeout):
        await method(rig)
    assert 0.1 + GRACE_S - 0.02 <= time.monotonic() - begin < 3.0


async def test_death_in_the_middle_of_a_call_loses_it(rig: Rig) -> None:
    """The plugin had started: ChannelClosed, sent; and then nothing listens."""
    await _pushed(rig)
    rig.hold()
    running = asyncio.create_task(rig.channel.execute(rig.at, call()))
    await rig.steering.until(lambda runtime: runtime.inflight == 1)
    rig.steering.kill()
    with pytest.raises(ChannelClosed) as caught:
        await running
    assert caught.value.sent
    with pytest.raises(ChannelClosed) as again:
        await rig.channel.execute(rig.at, call())
    assert not again.value.sent


async def test_a_listener_hears_every_piece_and_then_the_outcome_comes(rig: Rig) -> None:
    """Log entries and emits in their order, all before the outcome; without a listener the same call works too."""
    await _pushed(rig)
    rig.steering.runtime.says["hello"] = SAID
    heard: list[LogEntry | Emitted] = []

    async def listen(piece: LogEntry | Emitted) -> None:
        heard.append(piece)

    assert (await rig.channel.execute(rig.at, call(value=1), listen)).output == 1
    assert tuple(heard) == SAID
    assert (await rig.channel.execute(rig.at, call(value=2))).output == 2
    assert tuple(heard) == SAID


async def test_the_time_of_a_slow_listener_is_not_the_runtimes(rig: Rig) -> None:
    """A listener that takes longer than the call's bound makes nothing of it a timeout."""
    await _pushed(rig)
    rig.steering.runtime.says["hello"] = SAID

    async def listen(_piece: LogEntry | Emitted) -> None:
        await asyncio.sleep(0.1 + GRACE_S)

    assert (await rig.channel.execute(rig.at, call(value=1, timeout_s=0.1), listen)).output == 1


async def test_a_listener_that_fails_cancels_the_call(rig: Rig) -> None:
    """Its error comes out, and the runtime is told."""
    await _pushed(rig)
    rig.hold()
    rig.steering.runtime.says["hello"] = SAID

    async def gone(_piece: LogEntry | Emitted) -> None:
        raise BrokenPipeError

    asked = call()
    with pytest.raises(BrokenPipeError):
        await rig.channel.execute(rig.at, asked, gone)
    await rig.steering.until(lambda runtime: runtime.cancelled == [asked])


@pytest.mark.parametrize("listener", [None, _deaf], ids=["plain", "listening"])
async def test_an_execution_is_cancelled_by_its_id(rig: Rig, listener: Listener | None) -> None:
    """It ends as CANCELLED; another id, and the same one later, are not known."""
    await _pushed(rig)
    rig.hold()
    rig.steering.runtime.says["hello"] = SAID
    running = asyncio.create_task(rig.channel.execute(rig.at, call("e-1"), listener))
    await rig.steering.until(lambda runtime: runtime.inflight == 1)
    assert not await rig.channel.cancel(rig.at, ExecutionId("e-2"), 1.0)
    assert await rig.channel.cancel(rig.at, ExecutionId("e-1"), 1.0)
    outcome = await running
    assert outcome.failure is not None
    assert outcome.failure.type is FailureType.CANCELLED
    assert [entry.message for entry in outcome.logs] == ["one", "two\nlines"]
    assert rig.steering.runtime.cancelled == []
    assert not await rig.channel.cancel(rig.at, ExecutionId("e-1"), 1.0)


async def test_cancelling_tells_the_runtime(rig: Rig) -> None:
    """A caller that goes away ends the execution inside."""
    await _pushed(rig)
    rig.hold()
    asked = call("e-cancelled")
    running = asyncio.create_task(rig.channel.execute(rig.at, asked))
    await rig.steering.until(lambda runtime: runtime.inflight == 1)
    assert rig.steering.runtime.cancelled == []
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await rig.steering.until(lambda runtime: runtime.cancelled == [asked])


async def test_many_calls_at_once_get_their_own_answers(rig: Rig) -> None:
    """Nothing is mixed up between 64 callers."""
    await _pushed(rig)
    rig.steering.runtime.does["hello"] = _double

    async def one(number: int) -> None:
        outcome = await rig.channel.execute(rig.at, call(f"e{number}", value=number))
        assert outcome.output == 2 * number

    await asyncio.gather(*(one(number) for number in range(64)))
    await asyncio.gather(*(one(number) for number in range(64)))


async def test_a_forgotten_endpoint_can_still_be_reached(rig: Rig) -> None:
    """Forgetting closes what is kept; it refuses nothing, and may come twice."""
    await _pushed(rig)
    rig.channel.forget(rig.at)
    rig.channel.forget(rig.at)
    assert (await rig.channel.execute(rig.at, call(value=4))).output == 4


async def test_after_close_nothing_is_sent(rig: Rig) -> None:
    """Close may come twice; calls after it are refused before anything leaves."""
    await _pushed(rig)
    await rig.channel.close()
    await rig.channel.close()
    with pytest.raises(ChannelClosed) as caught:
        await rig.channel.execute(rig.at, call())
    assert not caught.value.sent
    assert rig.steering.runtime.calls == []


async def test_close_ends_calls_in_flight(rig: Rig) -> None:
    """A call that waits while everything is closed is lost, not left hanging."""
    await _pushed(rig)
    rig.hold()
    running = asyncio.create_task(rig.channel.execute(rig.at, call()))
    await rig.steering.until(lambda runtime: runtime.inflight == 1)
    await rig.channel.close()
    with pytest.raises(ChannelClosed) as caught:
        await running
    assert caught.value.sent


def _double(asked: Call) -> Outcome:
    assert isinstance(asked.input, int)
    return Outcome(asked.input * 2, None, (), logs_truncated=False, duration_ms=1.0)
