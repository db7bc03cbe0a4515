"""Deleting what is old: one body over every store, and what it does to the file of SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.contract.store.records import HOME, at, execution, outcome
from wsmgr.adapters.store import SqlStore
from wsmgr.core.alert import Severity, Trouble
from wsmgr.core.event import Event
from wsmgr.core.execution import ExecutionState
from wsmgr.core.ids import ExecutionId
from wsmgr.ports.store import Store

DONE = ExecutionState.SUCCEEDED


async def test_ended_executions_go_oldest_first_and_a_few_at_a_time(store: Store) -> None:
    """Those that still run stay, and so do younger ones."""
    for number in range(6):
        await store.end(execution(f"e{number}", state=DONE, seconds=number, ended=outcome()))
    await store.begin(execution("running", seconds=-100))
    await store.end(execution("lost", state=ExecutionState.LOST, seconds=-50))
    assert await store.purge_executions(at(4), 3) == 3
    page, _ = await store.executions(HOME, 99, None)
    assert [one.id for one in page] == ["e5", "e4", "e3", "e2", "running"]
    assert [await store.purge_executions(at(4), 3), await store.purge_executions(at(4), 3)] == [2, 0]
    assert await store.execution(ExecutionId("e4")) is not None
    assert await store.execution(ExecutionId("running")) is not None


async def test_old_events_go_and_their_ids_do_not_come_back(store: Store) -> None:
    """A listener that has seen the newest must not miss the next."""
    kept = [await store.append(Event(at(number), "uid:0", "stop", "x", HOME)) for number in range(5)]
    assert await store.purge_events(at(3), 2) == 2
    assert await store.events_after(0, 99) == kept[2:]
    assert await store.purge_events(at(99), 99) == 3
    assert await store.purge_events(at(99), 99) == 0
    assert (await store.append(Event(at(9), "uid:0", "stop", "x"))).id > kept[-1].id


async def test_old_alerts_go_when_they_are_resolved(store: Store) -> None:
    """By when they were; an open one stays, however old."""
    for number, cause in enumerate(["open", "old", "young"]):
        await store.raise_alert(Trouble(cause, Severity.WARNING, "x"), at(number))
    await store.resolve_alert("old", at(10))
    await store.resolve_alert("young", at(20))
    assert await store.purge_alerts(at(20), 99) == 1
    assert [one.cause for one in await store.alerts(9, None, resolved=True)] == ["young", "open"]


async def test_there_is_nothing_to_reclaim_in_an_empty_store(store: Store) -> None:
    """Nor where the database does it by itself."""
    assert await store.reclaim(100) == 0


async def test_the_file_of_sqlite_gets_smaller(tmp_path: Path) -> None:
    """A few pages at a time; what is left stays whole."""
    path = tmp_path / "wsmgr.db"
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    for number in range(300):
        await store.end(execution(f"e{number}", state=DONE, seconds=number, ended=outcome("x" * 20_000)))
    full = pages_of(path)
    assert await store.purge_executions(at(290), 1000) == 290
    left = await store.reclaim(100)
    assert left > 0
    assert pages_of(path) < full
    while left:
        left = await store.reclaim(500)
    assert pages_of(path) < full / 5
    page, _ = await store.executions(HOME, 99, None)
    assert len(page) == 10
    await store.close()
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_file_of_an_older_wsmgr_is_left_as_it_is(tmp_path: Path) -> None:
    """It has no incremental vacuum: its free pages are used again, and nothing is to be reclaimed."""
    path = tmp_path / "wsmgr.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("DROP TABLE t")
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    await store.end(execution("e", state=DONE, ended=outcome("x" * 100_000)))
    assert await store.purge_executions(at(9), 9) == 1
    assert await store.reclaim(100) == 0
    await store.close()


def pages_of(path: Path) -> int:
    """The pages of the database, those in the write-ahead log counted too."""
    with closing(sqlite3.connect(path)) as other:
        return int(other.execute("PRAGMA page_count").fetchone()[0])
