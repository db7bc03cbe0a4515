"""Databases that go away, fill up, and come back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.contract.store.postgres import PostgresServer
from tests.contract.store.records import ALICE, HOME, NOON, event, execution, outcome, source
from wsmgr.adapters.store import SqlStore
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.execution import ExecutionState
from wsmgr.core.ids import Slug


async def test_a_stopped_postgresql_is_told_and_used_again(mortal_postgresql: PostgresServer) -> None:
    """Writes and reads end in a sentence while it is away; notes wait for it; afterwards all work with no help."""
    store = SqlStore(mortal_postgresql.new_database(), timeout_s=10)
    await store.open()
    await store.begin(execution("before"))
    mortal_postgresql.stop()
    noted = execution("noted", state=ExecutionState.SUCCEEDED, ended=outcome())
    store.note(noted)
    for refused in (store.begin(execution("during")), store.append(event("x")), store.check(), store.workspaces()):
        with pytest.raises(StoreUnavailable, match="PostgreSQL server does not answer"):
            await refused
    assert await store.execution(noted.id) == noted
    mortal_postgresql.start()
    assert await store.begin(execution("after")) is None
    assert {one.id for one in (await store.executions(HOME, 10, None))[0]} == {"before", "noted", "after"}
    assert store.dropped_notes == 0
    await store.close()


async def test_a_restart_between_two_calls_is_not_noticed(mortal_postgresql: PostgresServer) -> None:
    """The connections are stale, nothing was under way: each call connects anew."""
    store = SqlStore(mortal_postgresql.new_database(), timeout_s=10)
    await store.open()
    await asyncio.gather(store.append(event("before")), store.check(), store.check())
    mortal_postgresql.stop()
    mortal_postgresql.start()
    await asyncio.gather(store.append(event("after")), store.check(), store.check())
    assert [one.reason for one in await store.events(HOME, 10, None)] == ["after", "before"]
    await store.close()


async def test_a_full_disk_is_told_and_writes_work_when_there_is_space(tmp_path: Path) -> None:
    """What does not fit fails with a sentence; what was there stays; a deleted plugin makes room."""
    store = SqlStore(f"sqlite:///{tmp_path}/wsmgr.db", max_bytes=600_000)
    await store.open()
    await store.put_version(ALICE, source("x" * 300_000, "large"), NOON, "uid:0")
    await store.begin(execution("before"))
    with pytest.raises(StoreUnavailable, match="full"):
        await store.put_version(ALICE, source("y" * 300_000, "second"), NOON, "uid:0")
    many = [store.end(execution(f"e{n}", ended=outcome("z" * 3000))) for n in range(100)]
    answers = await asyncio.gather(*many, return_exceptions=True)
    assert any(isinstance(one, StoreUnavailable) for one in answers)
    assert await store.execution(execution("before").id) == execution("before")
    assert await store.current_source(ALICE, Slug("large")) is not None
    assert await store.current_source(ALICE, Slug("second")) is None
    assert await store.delete_plugin(ALICE, Slug("large"))
    await store.put_version(ALICE, source("y" * 200_000, "second"), NOON, "uid:0")
    assert await store.begin(execution("after")) is None
    await store.close()


async def test_notes_survive_a_full_disk(tmp_path: Path) -> None:
    """They are tried again until there is space, and are not in the way of the deletion that makes it."""
    store = SqlStore(f"sqlite:///{tmp_path}/wsmgr.db", max_bytes=700_000)
    await store.open()
    await store.put_version(ALICE, source("x" * 400_000, "large"), NOON, "uid:0")
    store.note(execution("e1", ended=outcome("z" * 200_000)))
    assert await store.executions(HOME, 10, None) == ([], None)
    assert await store.execution(execution("e1").id) is not None
    assert await store.delete_plugin(ALICE, Slug("large"))
    found, _ = await store.executions(HOME, 10, None)
    assert [one.id for one in found] == ["e1"]
    assert store.dropped_notes == 0
    await store.close()
