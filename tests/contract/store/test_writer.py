"""The writer thread: shared commits, bad writes beside good ones, callers that leave, locks held by others."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine
from sqlalchemy import event as sql_event

from tests.contract.store.locking import execute, locked
from tests.contract.store.records import ALICE, HOME, event, execution, outcome
from wsmgr.adapters.store import SqlStore
from wsmgr.core.errors import NotFound, StoreUnavailable
from wsmgr.core.execution import ExecutionState
from wsmgr.core.owner import Owner
from wsmgr.core.workspace import Desired, Workspace

SUCCEEDED = ExecutionState.SUCCEEDED


def writing_engine(store: SqlStore) -> Engine:
    """The engine behind the writer thread."""
    assert store._writer is not None
    return store._writer._engine


@contextlib.asynccontextmanager
async def opened(store: SqlStore) -> AsyncIterator[SqlStore]:
    """Open for a while."""
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def test_concurrent_calls_share_commits(sql_store: SqlStore) -> None:
    """A hundred beginnings and ends at once take a handful of commits."""
    commits: list[object] = []
    sql_event.listen(writing_engine(sql_store), "commit", commits.append)
    records = [execution(f"e{n}") for n in range(100)]
    await asyncio.gather(*[sql_store.begin(one) for one in records])
    await asyncio.gather(*[sql_store.end(replace(one, state=SUCCEEDED, outcome=outcome())) for one in records])
    assert 2 <= len(commits) <= 10
    commits.clear()
    for one in records[:10]:
        await sql_store.end(one)
    assert len(commits) == 10


async def test_a_bad_write_fails_alone(url: str) -> None:
    """Those that shared a transaction with one that is no JSON, and with one that finds nothing, are made."""
    async with opened(SqlStore(url)) as store:
        good = [execution(f"e{n}", state=SUCCEEDED, ended=outcome(n)) for n in range(20)]
        bad = execution("bad", state=SUCCEEDED, ended=outcome(object()))
        missing = Workspace(
            id=HOME, owner=ALICE, desired=Desired.RUNNING, slot=0, generation=0,
            created_at=bad.created_at, last_activity_at=bad.created_at,
        )  # fmt: skip
        with locked(url):
            # The lock makes them all wait, and so meet in one transaction.
            calls = [asyncio.ensure_future(store.end(one)) for one in [*good[:10], bad, *good[10:]]]
            not_found = asyncio.ensure_future(store.put_workspace(missing))
            owner = asyncio.ensure_future(store.put_owner(Owner(ALICE, "PRO")))
            await asyncio.sleep(0)
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(answers.pop(10), TypeError)
        assert answers == [None] * 20
        with pytest.raises(NotFound):
            await not_found
        await owner
        assert await store.owner(ALICE) == Owner(ALICE, "PRO")
        assert [await store.execution(one.id) for one in good] == good
        assert await store.execution(bad.id) is None


async def test_a_bad_note_is_dropped_and_counted(sql_store: SqlStore) -> None:
    """The notes beside it are written."""
    good = [execution(f"e{n}", state=SUCCEEDED, ended=outcome(n)) for n in range(3)]
    for one in [good[0], execution("bad", ended=outcome(object())), *good[1:]]:
        sql_store.note(one)
    found, _ = await sql_store.executions(HOME, 10, None)
    assert {one.id for one in found} == {one.id for one in good}
    assert sql_store.dropped_notes == 1


async def test_the_backlog_of_notes_is_bounded(url: str) -> None:
    """While the database takes no writes, the notes over the bound are dropped; the others are written then."""
    async with opened(SqlStore(url, backlog=10, timeout_s=1)) as store:
        with locked(url):
            for n in range(25):
                store.note(execution(f"e{n}", state=SUCCEEDED, ended=outcome(n)))
            store.note(execution("e3", state=SUCCEEDED, ended=outcome("newer")))
            assert store.dropped_notes == 15
        found, _ = await store.executions(HOME, 100, None)
        assert len(found) == 10
        newer = await store.execution(execution("e3").id)
        assert newer is not None
        assert newer.outcome == outcome("newer")


async def test_a_note_is_written_by_itself(url: str) -> None:
    """With nobody reading or writing, another program sees it in the database."""
    async with opened(SqlStore(url)) as store:
        committed = asyncio.Event()
        loop = asyncio.get_running_loop()
        sql_event.listen(writing_engine(store), "commit", lambda _: loop.call_soon_threadsafe(committed.set))
        store.note(execution("e1", state=SUCCEEDED, ended=outcome()))
        began = loop.time()
        await asyncio.wait_for(committed.wait(), 5)
        assert loop.time() - began >= 0.1, "it was not held back to share a commit"
        async with opened(SqlStore(url)) as other:
            assert await other.execution(execution("e1").id) is not None


async def test_a_lock_held_by_another_program_ends_in_a_sentence(url: str) -> None:
    """The loop goes on while the call waits, the call ends in time, and later ones work."""
    async with opened(SqlStore(url, timeout_s=0.5)) as store:
        with locked(url):
            call = asyncio.ensure_future(store.begin(execution("e1")))
            turns = 0
            while not call.done():
                turns += 1
                await asyncio.sleep(0.001)
            with pytest.raises(StoreUnavailable, match=r"lock|did not confirm"):
                await call
            assert turns > 20
        assert await store.begin(execution("e1")) is None


async def test_too_many_waiting_writes_are_refused_at_once(url: str) -> None:
    """Those that wait already are made."""
    async with opened(SqlStore(url, queue_length=5)) as store:
        with locked(url):
            calls = [asyncio.ensure_future(store.append(event(str(n)))) for n in range(30)]
            done, waiting = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            assert len(waiting) >= 5
            for one in done:
                with pytest.raises(StoreUnavailable, match="wait for the database already"):
                    await one
        await asyncio.gather(*waiting)
        assert len(await store.events(HOME, 100, None)) == len(waiting)


async def test_a_beginning_whose_caller_has_left_leaves_no_record(url: str) -> None:
    """Cancelled while the database is locked: the same id can begin afterwards."""
    async with opened(SqlStore(url)) as store:
        with locked(url):
            left = asyncio.ensure_future(store.begin(execution("e1")))
            stayed = asyncio.ensure_future(store.begin(execution("e2")))
            await asyncio.sleep(0)
            left.cancel()
            with pytest.raises(asyncio.CancelledError):
                await left
        assert await stayed is None
        assert await store.execution(execution("e1").id) is None
        assert await store.begin(execution("e1")) is None


async def test_a_beginning_that_is_committed_as_its_caller_leaves_is_taken_back(sql_store: SqlStore) -> None:
    """The caller is cancelled in the moment of the commit, when nothing can stop it any more."""
    loop = asyncio.get_running_loop()
    left = asyncio.ensure_future(sql_store.begin(execution("e1")))
    sql_event.listen(writing_engine(sql_store), "commit", lambda _: loop.call_soon_threadsafe(left.cancel), once=True)
    with pytest.raises(asyncio.CancelledError):
        await left
    await sql_store.append(event("whatever comes next has the undo before it"))
    await sql_store.append(event("and this one comes after it"))
    assert await sql_store.execution(execution("e1").id) is None


async def test_a_bug_in_a_write_does_not_end_the_writer(sql_store: SqlStore, url: str) -> None:
    """Its caller gets the error, and the next write is made."""
    execute(url, "ALTER TABLE owners RENAME TO elsewhere")
    with pytest.raises(StoreUnavailable):
        await sql_store.put_owner(Owner(ALICE))
    execute(url, "ALTER TABLE elsewhere RENAME TO owners")
    await sql_store.put_owner(Owner(ALICE, "PRO"))
    assert await sql_store.owner(ALICE) == Owner(ALICE, "PRO")
