"""Answers that come line by line: how they are cut, bounded, held back, and refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.contract.channel.rig import call
from tests.contract.channel.server import (
    LAST_CHUNK,
    STREAM_HEAD,
    Request,
    RuntimeServer,
    Wire,
    always,
    answer,
    chunk,
    stream,
    succeeded,
)
from wsmgr.adapters.channel import RuntimeChannel
from wsmgr.core.outcome import Emitted, FailureType, LogEntry, Outcome
from wsmgr.core.workspace import Endpoint
from wsmgr.ports.channel import ChannelClosed, ChannelTimeout, ProtocolViolation, UnknownVersion

RESULT = {"result": succeeded()}
LOG = {"t": 1.0, "level": "log", "message": "hi"}


class Ear:
    """A listener that keeps what it hears; `gate` holds it up."""

    def __init__(self) -> None:
        self.heard: list[LogEntry | Emitted] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, piece: LogEntry | Emitted) -> None:
        """Hear."""
        self.heard.append(piece)
        await self.gate.wait()


async def _listen(channel: RuntimeChannel, at: Endpoint, timeout_s: float = 5.0) -> tuple[Ear, Outcome]:
    ear = Ear()
    return ear, await channel.execute(at, call(timeout_s=timeout_s), ear)


async def test_lines_are_found_however_they_are_cut(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """A byte a chunk, or all in one: the same pieces."""
    text = b'{"emit":"a\\nb"}\n{"log":{"t":1,"level":"log","message":"hi"}}\n'
    whole = text + stream(RESULT)[len(STREAM_HEAD) :].split(b"\r\n")[1]
    for size in (1, 7, len(whole)):
        parts = (whole[start : start + size] for start in range(0, len(whole), size))
        server.script = always(STREAM_HEAD + b"".join(map(chunk, parts)) + LAST_CHUNK)
        ear, outcome = await _listen(channel, at)
        assert ear.heard == [Emitted("a\nb"), LogEntry(1.0, "log", "hi")]
        assert outcome.output == {"answer": 42}
    assert server.connections == 1


async def test_a_runtime_that_does_not_stream_yet_gives_its_outcome(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """One that was started by an earlier wsmgr answers as ever."""
    server.script = always(answer(succeeded()))
    ear, outcome = await _listen(channel, at)
    assert (ear.heard, outcome.output) == ([], {"answer": 42})


async def test_a_refusal_before_the_start_is_what_it_is_without_a_stream(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """Status and JSON, and the connection is kept."""
    server.script = always(answer({"error": {"type": "unknown_version", "message": "no"}}, 409))
    for _ in range(2):
        with pytest.raises(UnknownVersion):
            await _listen(channel, at)
    assert server.connections == 1


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [{"emit": 1}],
        [b"not json\n", RESULT],
        [b"[1]\n", RESULT],
        [{"emit": 1, "log": LOG}, RESULT],
        [{"other": 1}, RESULT],
        [{"log": {"t": "soon", "level": "log", "message": "hi"}}, RESULT],
        [{"log": "hi"}, RESULT],
        [{"result": {"success": True}}],
        [{"result": succeeded(error={"type": "Lost", "message": "no"}, success=False)}],
        [RESULT, {"emit": 1}],
        [RESULT, RESULT],
        [b"x" * 100_000],
        [{"emit": "x" * 200_000}, RESULT],
        [{"emit": "x" * 4000}] * 100,
    ],
)
async def test_what_the_contract_does_not_allow_is_a_violation(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint, lines: list[object]
) -> None:
    """Malformed, too large, too much, without a result, or with more than one; and the next call is served."""
    server.script = always(stream(*lines))
    with pytest.raises(ProtocolViolation):
        await _listen(channel, at)
    server.script = always(stream(RESULT))
    assert (await _listen(channel, at))[1].output == {"answer": 42}


@pytest.mark.parametrize("line", [b'{"emit":', b'{"result":{"output":'])
async def test_what_is_nested_too_deep_is_an_outcome(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint, line: bytes
) -> None:
    """An honest plugin may emit or return it; it cannot travel on."""
    deep = line + b"[" * 300 + b"]" * 300 + b"}" * line.count(b"{") + b"\n"
    server.script = always(stream(deep, RESULT))
    _, outcome = await _listen(channel, at)
    assert outcome.failure is not None
    assert outcome.failure.type is FailureType.OUTPUT_INVALID


async def test_many_small_lines_are_no_violation(server: RuntimeServer, channel: RuntimeChannel, at: Endpoint) -> None:
    """The frames of as many emits as the cap of the output allows."""
    server.script = always(stream(*[{"emit": 1}] * 4000, RESULT))
    ear, _ = await _listen(channel, at)
    assert len(ear.heard) == 4000


async def test_a_slow_listener_holds_the_runtime_up(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """Most of the answer stays with the runtime until the listener goes on; then all of it arrives."""
    filler = "x" * 1000
    big = call(timeout_s=5.0)
    sent = 0

    async def script(_request: Request, wire: Wire) -> bytes | None:
        nonlocal sent
        wire.writer.write(STREAM_HEAD)
        for _ in range(4000):
            wire.writer.write(chunk({"emit": filler}))
            await wire.writer.drain()
            sent += 1
            if sent % 100 == 0:
                await server.tell()
        return chunk(RESULT) + LAST_CHUNK

    server.script = script
    ear = Ear()
    ear.gate.clear()
    running = asyncio.create_task(channel.execute(at, replace(big, output_bytes=8_000_000), ear))
    await server.until(lambda: sent >= 100)
    for _ in range(200):
        await asyncio.sleep(0)
    assert sent < 3000
    assert len(ear.heard) == 1
    ear.gate.set()
    assert (await running).output == {"answer": 42}
    assert len(ear.heard) == 4000


async def test_silence_in_the_middle_is_bounded(server: RuntimeServer, channel: RuntimeChannel, at: Endpoint) -> None:
    """A runtime that stops half-way is a timeout, whatever it said before."""

    async def script(_request: Request, wire: Wire) -> bytes | None:
        wire.writer.write(STREAM_HEAD + chunk({"emit": 1}))
        await wire.until_closed()
        return None

    server.script = script
    ear = Ear()
    with pytest.raises(ChannelTimeout):
        await channel.execute(at, call(timeout_s=0.1), ear)
    assert ear.heard == [Emitted(1)]


async def test_an_end_in_the_middle_loses_the_call(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """The connection drops: ChannelClosed, sent."""

    async def script(_request: Request, wire: Wire) -> bytes | None:
        wire.writer.write(STREAM_HEAD + chunk({"emit": 1}))
        await wire.writer.drain()
        return None

    server.script = script
    with pytest.raises(ChannelClosed) as caught:
        await _listen(channel, at)
    assert caught.value.sent
