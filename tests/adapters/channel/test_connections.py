"""What becomes of connections: kept, dropped, replaced, counted."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop

from tests.contract.channel.rig import HELLO, call
from tests.contract.channel.server import Request, RuntimeServer, Wire, always, answer, serving, silent, succeeded
from wsmgr.adapters.channel import RuntimeChannel
from wsmgr.core.errors import InvalidRequest
from wsmgr.core.workspace import Endpoint
from wsmgr.ports.channel import ChannelClosed, ChannelTimeout

OK = answer(succeeded())


async def _call(channel: RuntimeChannel, at: Endpoint, execution: str = "e1") -> None:
    assert (await channel.execute(at, call(execution))).output == {"answer": 42}


async def _only_wire(server: RuntimeServer) -> Wire:
    await server.until(lambda: len(server.wires) == 1)
    return next(iter(server.wires))


async def test_a_connection_is_used_again(server: RuntimeServer, channel: RuntimeChannel, at: Endpoint) -> None:
    """One connection for calls one after the other: the control of the tests below."""
    for _ in range(5):
        await _call(channel, at)
    assert server.connections == 1


async def test_an_equal_endpoint_shares_and_another_instance_does_not(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """The pool goes by the whole endpoint, as a restarted runtime is another one."""
    await _call(channel, at)
    await _call(channel, replace(at))
    assert server.connections == 1
    await _call(channel, replace(at, instance="two"))
    assert server.connections == 2


async def test_a_connection_that_the_peer_closed_is_not_used(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """The call goes over a new connection, once."""
    await _call(channel, at)
    (await _only_wire(server)).writer.close()
    await server.until(lambda: not server.wires)
    await _call(channel, at)
    assert server.connections == 2
    assert len(server.requests) == 2


async def test_bytes_that_nobody_asked_for_drop_the_connection(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """A prepared answer is never taken for the answer to the next call, whether the loop has seen it yet or not."""
    await _call(channel, at)
    wire = await _only_wire(server)
    wire.writer.write(answer(succeeded(output="forged")))
    await _call(channel, at)
    assert server.connections == 2
    await server.until(lambda: wire not in server.wires)


async def test_an_answer_that_closes_is_taken_and_the_connection_not_kept(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """`Connection: close` is the runtime's right."""
    server.script = always(answer(succeeded(), extra="Connection: close\r\n"))
    await _call(channel, at)
    await _call(channel, at)
    assert server.connections == 2


async def test_a_request_that_was_taken_is_never_sent_again(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """A kept connection on which the runtime took the request and closed: the plugin may have run."""
    await _call(channel, at)
    server.script = always(None)
    with pytest.raises(ChannelClosed) as caught:
        await channel.execute(at, call("e2"))
    assert caught.value.sent
    assert len(server.requests) == 2


async def test_an_end_in_the_middle_of_an_answer_is_an_end(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """Half a body, half a head: ChannelClosed, sent."""
    for part in (OK[:-5], OK[:20]):

        async def cut(_request: Request, wire: Wire, part: bytes = part) -> None:
            wire.writer.write(part)
            await wire.writer.drain()
            wire.writer.close()

        server.script = cut
        with pytest.raises(ChannelClosed) as caught:
            await channel.execute(at, call())
        assert caught.value.sent


async def test_cancelling_closes_the_connection(server: RuntimeServer, channel: RuntimeChannel, at: Endpoint) -> None:
    """The runtime sees the end; the next call has a new connection."""
    server.script = silent
    running = asyncio.create_task(channel.execute(at, call()))
    await server.until(lambda: len(server.requests) == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await server.until(lambda: not server.wires)
    server.script = always(OK)
    await _call(channel, at)


async def test_a_late_answer_is_not_the_next_calls(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """After a timeout the connection is closed: what comes later goes nowhere."""
    go = asyncio.Event()

    async def late(_request: Request, _wire: Wire) -> bytes:
        await go.wait()
        return answer(succeeded(output="late"))

    server.script = late
    with pytest.raises(ChannelTimeout):
        await channel.execute(at, call(timeout_s=0.05))
    go.set()
    server.script = always(OK)
    await _call(channel, at)


async def test_large_requests_go_through(server: RuntimeServer, channel: RuntimeChannel, at: Endpoint) -> None:
    """Far more than a socket buffer holds, in both directions."""
    value = "x" * 3_000_000

    async def echo(request: Request, _wire: Wire) -> bytes:
        return answer(succeeded(output=request.json()["input"]))

    server.script = echo
    asked = replace(call(value=value), output_bytes=4_000_000)
    outcomes = await asyncio.gather(*(channel.execute(at, asked) for _ in range(3)))
    assert all(outcome.output == value for outcome in outcomes)
    await channel.execute(at, asked)
    assert server.connections == 3


async def test_an_answer_before_the_request_was_taken_ends_the_connection(channel: RuntimeChannel, root: Path) -> None:
    """The rest of that request would be taken for another one."""
    connections = 0

    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        while await reader.read(65536):
            pass
        writer.close()

    path = root / "api.sock"
    async with await asyncio.start_unix_server(hasty, path, limit=1024):
        at = Endpoint(os.getpid(), str(path), os.getuid(), "one")
        for _ in range(2):
            asked = replace(call(value="x" * 4_000_000))
            assert (await channel.execute(at, asked)).output == {"answer": 42}
        assert connections == 2
        await channel.close()


async def test_a_full_backlog_is_waited_for_and_then_given_up(channel: RuntimeChannel, root: Path) -> None:
    """Nothing was sent; and when there is room in time, the call goes through."""
    path = root / "api.sock"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(0)
    at = Endpoint(os.getpid(), str(path), os.getuid(), "one")
    fillers = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(str(path))
    with pytest.raises(ChannelClosed) as caught:
        await channel.execute(at, call())
    assert not caught.value.sent
    for filler in fillers:
        filler.close()
    answering = asyncio.create_task(_call(channel, at))
    async with await asyncio.start_unix_server(_answer_all, sock=listener):
        await answering
        await channel.close()


async def _answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    if await reader.read(65536):
        writer.write(OK)
        await reader.read()
    writer.close()


async def test_an_input_that_is_not_json_is_refused_before_it_leaves(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """Deeper than the encoder goes, or text that UTF-8 cannot hold."""
    deep: object = 1
    for _ in range(300):
        deep = [deep]
    for value in (deep, "\ud800", object()):
        with pytest.raises(InvalidRequest):
            await channel.execute(at, call(value=value))
    assert server.requests == []
    await _call(channel, at)


async def test_names_in_a_shared_runtime_never_meet(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """With a namespace the slug on the wire is another one, still a slug, and the same each time."""
    long = replace(call(), plugin=type(HELLO.slug)("a" * 64))
    for namespace in (None, "user:a", "user:b"):
        for _ in range(2):
            await channel.execute(replace(at, namespace=namespace), long)
    slugs = [str(request.json()["plugin"]) for request in server.requests]
    assert slugs[0] == "a" * 64
    assert len(set(slugs)) == 3
    assert slugs[0::2] == slugs[1::2]
    assert all(len(slug) == 64 for slug in slugs)
    assert slugs[2].endswith("-" + "a" * 47)


FLOWS: list[Callable[[RuntimeServer, RuntimeChannel, Endpoint], Awaitable[None]]] = [
    test_a_connection_is_used_again,
    test_a_connection_that_the_peer_closed_is_not_used,
    test_bytes_that_nobody_asked_for_drop_the_connection,
    test_a_request_that_was_taken_is_never_sent_again,
    test_cancelling_closes_the_connection,
    test_a_late_answer_is_not_the_next_calls,
    test_large_requests_go_through,
]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
def test_the_same_on_uvloop(flow: Callable[..., Awaitable[None]], root: Path) -> None:
    """The daemon's own event loop."""

    async def main() -> None:
        async with serving(root / "api.sock") as server:
            channel = RuntimeChannel(grace_s=0.2, connect_timeout_s=0.2)
            at = Endpoint(os.getpid(), str(server.path), os.getuid(), "one")
            await flow(server, channel, at)
            await channel.close()

    uvloop.run(main())
