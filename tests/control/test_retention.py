"""What is old goes by itself, in small steps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes.clock import LoopClock
from tests.fakes.daemon import FakeDaemon
from tests.fakes.store import FakeStore
from wsmgr.control.retention import BATCH, EVERY_S, FIRST_AFTER_S, Keep, Retention
from wsmgr.core.alert import Severity, Trouble
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.event import Event
from wsmgr.core.execution import Execution
from wsmgr.core.ids import ExecutionId, WorkspaceId

ALICE = WorkspaceId("user:alice")


@pytest.fixture
async def record(system: FakeDaemon) -> Execution:
    """One of a call that succeeded."""
    return await system.execute()


async def store_with(record: Execution, days: dict[str, float]) -> FakeStore:
    """A store with a record, an event and a resolved alert of each age in days, under that name."""
    store, now = FakeStore(is_open=True), LoopClock().now()
    for name, age in days.items():
        then = now - timedelta(days=age)
        await store.end(replace(record, id=ExecutionId(name), created_at=then))
        await store.append(Event(then, "uid:0", name, "x"))
        await store.raise_alert(Trouble(name, Severity.WARNING, "x"), then)
        await store.resolve_alert(name, then)
    return store


async def names(store: FakeStore) -> tuple[set[str], set[str], set[str]]:
    """What is left of executions, events and alerts."""
    executions, _ = await store.executions(ALICE, 10_000, None)
    alerts = await store.alerts(10_000, None, resolved=True)
    return {one.id for one in executions}, {one.action for one in store.all_events}, {one.cause for one in alerts}


async def test_each_kind_is_kept_as_long_as_was_set(record: Execution) -> None:
    """To the day."""
    store = await store_with(record, {"a": 0.9, "b": 1.1, "c": 2.1, "d": 89.9, "e": 90.1})
    await Retention(store, LoopClock(), Keep(1, 2, 1)).sweep()
    assert await names(store) == ({"a"}, {"a", "b"}, {"a", "b", "c", "d"})


async def test_much_is_deleted_in_batches_and_its_space_given_back(record: Execution) -> None:
    """No transaction is long, and others get their turn in between."""
    store = await store_with(record, {f"x{number}": 100 for number in range(2 * BATCH + 1)})
    store.free_pages = 1200
    store.calls.clear()
    await Retention(store, LoopClock(), Keep(30, 90, 1)).sweep()
    assert await names(store) == (set(), set(), set())
    assert (store.calls.count("purge_executions"), store.calls.count("reclaim"), store.free_pages) == (4, 3, 0)


@pytest.mark.slow
async def test_it_runs_every_hour_also_after_a_failure(record: Execution) -> None:
    """A database that is away, and a defect; the loop goes on."""
    store = await store_with(record, {"old": 100})
    store.fail_next("purge_executions", StoreUnavailable("asked for"))
    store.fail_next("purge_executions", ValueError("asked for"))
    running = asyncio.create_task(Retention(store, LoopClock(), Keep(30, 90, 1)).run())
    await asyncio.sleep(FIRST_AFTER_S + 1 + EVERY_S)
    assert (await names(store))[0] == {"old"}
    await asyncio.sleep(EVERY_S)
    assert (await names(store))[0] == set()
    running.cancel()


async def test_a_daemon_runs_it_with_its_settings(tmp_path: Path) -> None:
    """Soon after the start; the settings are days."""
    system = await FakeDaemon(tmp_path, executions_retention_days=0.01, events_retention_days=90).start()
    await system.put()
    record = await system.execute()
    old = replace(record, id=ExecutionId("old"), created_at=record.created_at - timedelta(hours=1))
    await system.store.end(old)
    await asyncio.sleep(FIRST_AFTER_S + 1)
    assert await system.store.execution(ExecutionId("old")) is None
    assert await system.store.execution(record.id) is not None
    assert "plugin.put" in system.actions()
    await system.stop()
