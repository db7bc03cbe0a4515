"""The three stores that one body of tests runs over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.contract.store.postgres import PostgresServer, running
from tests.fakes.store import FakeStore
from wsmgr.adapters.store import SqlStore
from wsmgr.ports.store import Store


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """A server that every test may use and none may stop."""
    yield from running()


@pytest.fixture(scope="module")
def mortal_postgresql() -> Iterator[PostgresServer]:
    """A server that tests may stop and start."""
    yield from running()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/records/wsmgr.db"
    server: PostgresServer = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
async def sql_store(url: str) -> AsyncIterator[SqlStore]:
    """An open store in an empty database."""
    store = SqlStore(url)
    await store.open()
    yield store
    await store.close()


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An open, empty store of each kind."""
    one: Store
    if request.param == "fake":
        one = FakeStore()
    elif request.param == "sqlite":
        one = SqlStore(f"sqlite:///{tmp_path}/records/wsmgr.db")
    else:
        server: PostgresServer = request.getfixturevalue("postgresql")
        one = SqlStore(server.new_database())
    await one.open()
    yield one
    await one.close()
