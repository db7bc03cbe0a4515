"""Control is tested on fakes and in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[FakeDaemon]:
    """A started daemon on fakes, with the plugin `echo` of user:alice stored; stopped at the end."""
    system = await FakeDaemon(tmp_path).start()
    await system.put()
    yield system
    if not system.daemon.executions.refusing:
        await system.stop()
