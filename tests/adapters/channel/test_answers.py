"""Answers that no runtime should give. After each refusal the same channel takes a correct answer: the control."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.contract.channel.rig import HELLO, call
from tests.contract.channel.server import Request, RuntimeServer, Wire, always, answer, raw, succeeded
from wsmgr.adapters.channel import RuntimeChannel
from wsmgr.core.outcome import FailureType, LogEntry
from wsmgr.core.workspace import Endpoint
from wsmgr.ports.channel import ChannelTimeout, ProtocolViolation

OK = answer(succeeded())
BODY = json.dumps(succeeded()).encode()
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ERROR = {"type": "Exception", "message": "no"}
ENTRY = {"t": 1, "level": "log", "message": "hi"}
# The limits of `call()` allow 4096 bytes of output and 1024 of logs.
TOO_LARGE = answer(succeeded(output="x" * 200_000))


def _without(field: str) -> bytes:
    return answer({name: value for name, value in succeeded().items() if name != field})


def _failed(error: object) -> bytes:
    return answer(succeeded(success=False, error=error, output=None))


WIRE = {
    "not HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "another protocol version": OK.replace(b"HTTP/1.1", b"HTTP/7.3"),
    "one huge header": raw(BODY, extra=f"X: {'y' * 20_000}\r\n"),
    "many headers": raw(BODY, extra="X: y\r\n" * 4000),
    "a body over the cap": TOO_LARGE,
    "a chunked body over the cap": CHUNKED
    + b"ffff\r\n"
    + b"x" * 0xFFFF
    + b"\r\n"
    + b"ffff\r\n"
    + b"x" * 0xFFFF
    + b"\r\n",
    "garbage for a chunk size": CHUNKED + b"zz\r\nhello\r\n0\r\n\r\n",
    "chunk extensions without end": CHUNKED + b"1;" + b"a" * 20_000 + b"\r\nx\r\n0\r\n\r\n",
    "one-byte chunks": CHUNKED + b"".join(b"1\r\nx\r\n" for _ in range(20_000)) + b"0\r\n\r\n",
    "a length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n" + BODY,
    "two lengths": raw(BODY, extra="Content-Length: 5\r\n"),
    "length and chunks": raw(BODY, extra="Transfer-Encoding: chunked\r\n"),
    "more than its length": raw(BODY + b"and more", length=len(BODY)),
    "less in its length": raw(BODY, length=len(BODY) - 1),
    "two answers": OK + OK,
    "an interim answer": b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    "an upgrade": b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "no body": raw(b""),
}

JSON = {
    "not JSON": raw(b"<html>"),
    "cut JSON": raw(BODY[:-2]),
    "NaN": raw(BODY.replace(b"1.5", b"NaN")),
    "not UTF-8": raw(BODY.replace(b"answer", b"\xff\xfe")),
    "a list": answer([succeeded()]),
    "null": answer(None),
    **{f"no {field}": _without(field) for field in ("success", "output", "logs", "logsTruncated", "durationMs")},
    "success as a number": answer(succeeded(success=1)),
    "success as text": answer(succeeded(success="true")),
    "success and error": answer(succeeded(error=ERROR)),
    "neither success nor error": answer(succeeded(success=False)),
    "duration as text": answer(succeeded(durationMs="1")),
    "duration as true": answer(succeeded(durationMs=True)),
    "negative duration": answer(succeeded(durationMs=-1)),
    "logs as an object": answer(succeeded(logs={})),
    "logs as null": answer(succeeded(logs=None)),
    "a log entry that is text": answer(succeeded(logs=["hi"])),
    "a log entry without time": answer(succeeded(logs=[{"level": "log", "message": "hi"}])),
    "a log level of 300 letters": answer(succeeded(logs=[{**ENTRY, "level": "x" * 300}])),
    "a log message that is no text": answer(succeeded(logs=[{**ENTRY, "message": 7}])),
    "more entries than the cap can hold": answer(succeeded(logs=[{**ENTRY, "message": ""}] * 300)),
    "logsTruncated as null": answer(succeeded(logsTruncated=None)),
    "an error that is text": _failed("no"),
    "an error without message": _failed({"type": "Exception"}),
    "an error of an unknown type": _failed({**ERROR, "type": "Meltdown"}),
    "an error that only the daemon may tell": _failed({**ERROR, "type": "Lost"}),
    "an error type that is no text": _failed({**ERROR, "type": ["Exception"]}),
    "an error message without end": _failed({**ERROR, "message": "x" * 65_537}),
    "a stack that is no text": _failed({**ERROR, "stack": 7}),
}

STATUS = {
    "status 500": answer({"error": {"type": "oops", "message": "no"}}, 500),
    "status 400": answer({"error": {"type": "bad_request", "message": "no"}}, 400),
    "status 409 of another kind": answer({"error": {"type": "conflict", "message": "no"}}, 409),
    "status 503 of another kind": answer({"error": {"type": "tired", "message": "no"}}, 503),
    "status 302": raw(b"{}", 302, "Location: http://127.0.0.1/\r\n"),
    "status 204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "an error that is no object": answer({"error": "unknown_version"}, 409),
}
REFUSED = {**WIRE, **JSON, **STATUS}


@pytest.mark.parametrize("reply", REFUSED.values(), ids=REFUSED.keys())
async def test_what_the_contract_does_not_allow_is_a_violation(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint, reply: bytes
) -> None:
    """One refusal each, with a sentence that does not repeat the whole answer; then a correct answer is taken."""
    server.script = always(reply)
    with pytest.raises(ProtocolViolation) as caught:
        await channel.execute(at, call(timeout_s=5.0))
    assert 10 < len(str(caught.value)) < 600
    server.script = always(OK)
    assert (await channel.execute(at, call())).output == {"answer": 42}


ACCEPTED: Mapping[str, bytes] = {
    "further fields": answer({**succeeded(), "new": {"in": "a later version"}}),
    "chunks": CHUNKED + b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n",
    "headers in plenty": raw(BODY, extra="X: y\r\n" * 100),
    "a duration without fraction": answer(succeeded(durationMs=0)),
    "a header in lower case": OK.replace(b"Content-Length", b"content-length"),
}


@pytest.mark.parametrize("reply", ACCEPTED.values(), ids=ACCEPTED.keys())
async def test_what_the_contract_allows_is_taken(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint, reply: bytes
) -> None:
    """The other side of the table above."""
    server.script = always(reply)
    assert (await channel.execute(at, call())).output == {"answer": 42}


async def test_an_answer_in_single_bytes(server: RuntimeServer, channel: RuntimeChannel, at: Endpoint) -> None:
    """However it is cut, the answer is the same."""

    async def dribble(_request: Request, wire: Wire) -> bytes:
        for byte in OK[:-1]:
            wire.writer.write(bytes([byte]))
            await wire.writer.drain()
            await asyncio.sleep(0)
        return OK[-1:]

    server.script = dribble
    assert (await channel.execute(at, call())).output == {"answer": 42}


async def test_a_slow_answer_has_the_same_bound(server: RuntimeServer, channel: RuntimeChannel, at: Endpoint) -> None:
    """Bytes that keep coming do not extend the time; the connection is closed."""

    async def loris(_request: Request, wire: Wire) -> None:
        wire.writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            wire.writer.write(b"X: y\r\n")
            await wire.writer.drain()  # raises when the client has gone
            await asyncio.sleep(0.01)  # the misbehaviour itself

    server.script = loris
    begin = asyncio.get_running_loop().time()
    with pytest.raises(ChannelTimeout):
        await channel.execute(at, call(timeout_s=0.1))
    assert asyncio.get_running_loop().time() - begin < 2.0
    await server.until(lambda: not server.wires)


async def test_an_output_at_its_cap_is_taken(server: RuntimeServer, channel: RuntimeChannel, at: Endpoint) -> None:
    """What the limits allow gets through, with the logs they allow."""
    logs = [{**ENTRY, "message": "m" * 900}]
    server.script = always(answer(succeeded(output="x" * 4094, logs=logs, logsTruncated=True)))
    outcome = await channel.execute(at, call())
    assert outcome.output == "x" * 4094
    assert outcome.logs == (LogEntry(1.0, "log", "m" * 900),)
    assert outcome.logs_truncated


async def test_half_a_surrogate_pair_becomes_a_replacement_character(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """JavaScript has such strings, JSON.stringify escapes them, UTF-8 cannot hold them: no fault of the runtime."""
    text = BODY.replace(b"42", rb'"a\ud800b \ud83d\ude00"')
    server.script = always(raw(text))
    assert (await channel.execute(at, call())).output == {"answer": "a\ufffdb \U0001f600"}


@pytest.mark.parametrize("depth", [250, 1500, 50_000])
async def test_an_output_nested_too_deep_is_the_plugins_failure(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint, depth: int
) -> None:
    """Nothing further on could encode it; it is no fault of the runtime."""
    deep = b"[" * depth + b"]" * depth
    server.script = always(raw(BODY.replace(b'{"answer": 42}', deep)))
    outcome = await channel.execute(at, replace(call(), output_bytes=200_000))
    assert outcome.failure is not None
    assert outcome.failure.type is FailureType.OUTPUT_INVALID


@pytest.mark.parametrize("value", [b"1e999", b"[-1e400]", b'{"a": %s}' % (b"9" * 400), rb'["\ud800", 1e400]'])
async def test_a_number_too_large_for_json_is_the_plugins_failure(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint, value: bytes
) -> None:
    """JSON.rawJSON writes such. It is no fault of the runtime, which would be replaced for it, and no other call's."""
    server.script = always(raw(BODY.replace(b'{"answer": 42}', value)))
    outcome = await channel.execute(at, call())
    assert outcome.failure is not None
    assert outcome.failure.type is FailureType.OUTPUT_INVALID
    server.script = always(raw(BODY.replace(b'{"answer": 42}', b"1e308")))
    assert (await channel.execute(at, call())).output == 1e308


async def test_an_output_nested_deep_enough_is_taken(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """The control: 190 levels, and many brackets side by side."""
    deep: object = 1
    for _ in range(190):
        deep = [deep]
    server.script = always(answer(succeeded(output=[deep, [[]] * 500])))
    assert (await channel.execute(at, call())).output == [deep, [[]] * 500]


HEALTH = {"status": "healthy", "uptime": 1, "runtime": "node", "inflight": 0, "executions": 3, "plugins": {"a": "1"}}


@pytest.mark.parametrize(
    "changes",
    [
        {"status": 1},
        {"uptime": -1},
        {"uptime": "1"},
        {"inflight": 1.5},
        {"inflight": True},
        {"executions": -1},
        {"plugins": []},
        {"plugins": {"a": 1}},
        {"runtime": None},
    ],
)
async def test_health_is_checked_field_by_field(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint, changes: dict[str, object]
) -> None:
    """A wrong field is a violation; further fields are not."""
    server.script = always(answer({**HEALTH, **changes}))
    with pytest.raises(ProtocolViolation):
        await channel.health(at, 5.0)
    server.script = always(answer({**HEALTH, "more": 1}))
    assert (await channel.health(at, 5.0)).executions == 3


async def test_a_plugin_too_large_for_the_runtime_does_not_load(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """413 to a push is about that version; 500 is not."""
    server.script = always(answer({"error": {"type": "too_large", "message": "The body is too large."}}, 413))
    failure = await channel.put(at, HELLO, 5.0)
    assert failure is not None
    assert (failure.type, failure.message) == (FailureType.LOAD_ERROR, "The body is too large.")
    server.script = always(answer({"error": {"type": "oops", "message": "no"}}, 500))
    with pytest.raises(ProtocolViolation):
        await channel.put(at, HELLO, 5.0)
