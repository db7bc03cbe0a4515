"""The channels that the contract holds for, as a table."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.contract.channel.rig import GRACE_S, FakeSteering, Rig
from tests.contract.channel.scripted import ScriptedRuntime
from tests.contract.channel.server import serving
from tests.fakes.channel import FakeChannel
from wsmgr.adapters.channel import RuntimeChannel
from wsmgr.core.workspace import Endpoint


@asynccontextmanager
async def fake_rig(_folder: Path, namespace: str | None) -> AsyncIterator[Rig]:
    """The fake that the tests of `control` stand on."""
    channel = FakeChannel(grace_s=GRACE_S)
    at = Endpoint(1, "/run/wsmgr/api.sock", 10_000, "one", namespace)
    with ExitStack() as holds:
        yield Rig(
            channel,
            at,
            FakeSteering(channel, at, lambda: asyncio.sleep(0)),
            lambda: holds.enter_context(channel.held("execute")),
        )
    await channel.close()


@asynccontextmanager
async def real_rig(folder: Path, namespace: str | None) -> AsyncIterator[Rig]:
    """The real one, over a runtime in this process: its root is the root of the test's own process."""
    async with serving(folder / "api.sock") as server:
        runtime = ScriptedRuntime(server)
        channel = RuntimeChannel(grace_s=GRACE_S, connect_timeout_s=1.0)
        at = Endpoint(os.getpid(), str(server.path.resolve()), os.getuid(), "one", namespace)
        yield Rig(channel, at, runtime, lambda: setattr(runtime, "held", True))
        await channel.close()


RIGS: dict[str, Callable[[Path, str | None], AbstractAsyncContextManager[Rig]]] = {"fake": fake_rig, "real": real_rig}


@pytest.fixture(params=sorted(RIGS))
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    """One channel after the other; `-k real` picks one."""
    async with RIGS[request.param](tmp_path, None) as made:
        yield made
