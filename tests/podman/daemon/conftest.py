"""One real daemon serves the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.podman.daemon.rig import RealDaemon, real_daemon
from wsmgr.client import Client


@pytest.fixture(scope="module")
def daemon() -> Iterator[RealDaemon]:
    """A started daemon, for the tests of one module."""
    with real_daemon() as daemon:
        yield daemon


@pytest.fixture
def client(daemon: RealDaemon) -> Iterator[Client]:
    """A client of it."""
    with daemon.client() as client:
        yield client
