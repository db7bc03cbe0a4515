"""How many connections are kept, for how long, and that no descriptor is lost."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.channel.rig import call
from tests.contract.channel.server import Request, RuntimeServer, Wire, answer, serving, silent, succeeded
from wsmgr.adapters.channel import RuntimeChannel
from wsmgr.core.workspace import Endpoint
from wsmgr.ports.channel import ChannelClosed, ChannelTimeout

OK = answer(succeeded())


async def _call(channel: RuntimeChannel, at: Endpoint, execution: str = "e1") -> None:
    assert (await channel.execute(at, call(execution))).output == {"answer": 42}


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_idle_connections_of_one_endpoint_have_a_bound(server: RuntimeServer, at: Endpoint) -> None:
    """Ten calls at once make ten connections; two stay."""
    channel = RuntimeChannel(idle_per_endpoint=2)
    await asyncio.gather(*(_call(channel, at, f"e{number}") for number in range(10)))
    await server.until(lambda: len(server.wires) == 2)
    assert server.connections == 10
    await channel.close()


async def test_idle_connections_of_all_endpoints_have_a_bound(root: Path) -> None:
    """The one that was idle longest goes."""
    channel = RuntimeChannel(idle_total=2)
    async with serving(root / "a") as a, serving(root / "b") as b, serving(root / "c") as c:
        places = [Endpoint(os.getpid(), str(s.path), os.getuid(), "x") for s in (a, b, c)]
        for place in places:
            await _call(channel, place)
        await a.until(lambda: not a.wires)
        assert (len(b.wires), len(c.wires)) == (1, 1)
        await channel.close()


async def test_forget_closes_what_is_idle_and_what_comes_back(
    server: RuntimeServer, channel: RuntimeChannel, at: Endpoint
) -> None:
    """A call in flight ends well, and its connection is not kept."""
    await _call(channel, at)
    go = asyncio.Event()

    async def later(_request: Request, _wire: Wire) -> bytes:
        await go.wait()
        return OK

    server.script = later
    flying = [asyncio.create_task(_call(channel, at, f"e{number}")) for number in range(2)]
    await server.until(lambda: len(server.requests) == 3)
    channel.forget(at)
    go.set()
    await asyncio.gather(*flying)
    await server.until(lambda: not server.wires)


async def test_no_descriptor_is_lost(server: RuntimeServer, root: Path, at: Endpoint) -> None:
    """Not by calls, refusals, timeouts, cancellations, nor by endpoints where nothing is."""
    nowhere = replace(at, socket=str(root / "nothing"))
    before = _descriptors()
    channel = RuntimeChannel(grace_s=0.01, connect_timeout_s=0.1)
    await asyncio.gather(*(_call(channel, at, f"e{number}") for number in range(20)))
    for _ in range(20):
        with pytest.raises(ChannelClosed):
            await channel.execute(nowhere, call())
    server.script = silent
    with pytest.raises(ChannelTimeout):
        await channel.execute(at, call(timeout_s=0.01))
    running = asyncio.create_task(channel.execute(at, call()))
    await server.until(lambda: len(server.requests) == 22)
    running.cancel()
    await asyncio.wait([running])
    assert _descriptors() > before  # the control: kept connections are descriptors
    await channel.close()
    await server.until(lambda: not server.wires)
    assert _descriptors() == before
