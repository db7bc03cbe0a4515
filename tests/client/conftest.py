"""A fake daemon for the tests of the client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.fake_daemon import FakeDaemon
from wsmgr.client import Client


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    """A daemon with canned answers on a unix socket."""
    with FakeDaemon(tmp_path / "api.sock") as fake:
        yield fake


@pytest.fixture
def client(daemon: FakeDaemon) -> Iterator[Client]:
    """A client of that daemon."""
    with Client(daemon.path) as connected:
        yield connected
