"""A scripted runtime and a channel to it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.channel.server import RuntimeServer, serving
from wsmgr.adapters.channel import RuntimeChannel
from wsmgr.core.workspace import Endpoint


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder by its real path: the channel follows no link."""
    return tmp_path.resolve()


@pytest.fixture
async def server(root: Path) -> AsyncIterator[RuntimeServer]:
    """Answers every request with a success until a test says otherwise."""
    async with serving(root / "api.sock") as made:
        yield made


@pytest.fixture
def at(server: RuntimeServer) -> Endpoint:
    """Where it is."""
    return Endpoint(os.getpid(), str(server.path), os.getuid(), "one")


@pytest.fixture
async def channel() -> AsyncIterator[RuntimeChannel]:
    """With short bounds."""
    made = RuntimeChannel(grace_s=0.2, connect_timeout_s=0.2)
    yield made
    await made.close()
