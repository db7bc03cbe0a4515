"""The end of a daemon: what is still answered then is kept, and a hurried end leaves nothing at work."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon, until
from wsmgr.control.feed import Signal
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.workspace import Desired

ALICE = WorkspaceId("user:alice")


async def test_what_is_answered_while_the_daemon_ends_is_kept(system: FakeDaemon) -> None:
    """A verb that is under way when the workspaces have stopped: its wish and its event are stored."""
    await system.execute()
    await system.daemon.lifecycle.stop(10, keep=False)
    entry = await system.daemon.workspaces.recover(ALICE, "uid:7")
    assert entry.record.desired is Desired.RUNNING
    assert ("uid:7", "workspace.recover") in {(event.actor, event.action) for event in system.store.all_events}
    await system.daemon.lifecycle.close()
    with pytest.raises(StoreUnavailable):
        await system.store.workspaces()


async def test_a_stop_that_a_dead_daemon_had_begun_is_no_failure(system: FakeDaemon, tmp_path: Path) -> None:
    """The next one finds it ended, as it is wanted: nothing is counted against it."""
    await system.execute()
    with system.engine.held("stop"):
        await system.daemon.workspaces.stop(ALICE, "uid:0")
        await until(lambda: ("stop", system.engine.boxes(ALICE)[0].handle) in system.engine.calls)
        await system.crash()
        system.die(exit_code=0)
        successor = FakeDaemon(tmp_path)
        successor.adopt_world_of(system)
        await successor.start()
        await until(lambda: system.engine.boxes(ALICE) == [])
    assert "workspace.failed" not in successor.actions()
    assert successor.daemon.fleet.get(ALICE).unit.restarts == 0
    await successor.stop()


async def test_a_hurried_end_begins_nothing_more(system: FakeDaemon) -> None:
    """The stop is cut short where it is; no loop goes on, and listeners are told that it is over."""
    await system.execute()
    live = system.daemon.feed.subscribe()
    with system.engine.held("stop"):
        stopping = asyncio.create_task(system.daemon.lifecycle.stop(10, keep=False))
        await until(lambda: ("stop", system.engine.boxes(ALICE)[0].handle) in system.engine.calls)
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
        await system.daemon.lifecycle.hurry()
    before = len(system.engine.calls), len(system.store.calls)
    await asyncio.sleep(100)
    assert (len(system.engine.calls), len(system.store.calls)) == before
    heard = [await live.next(1) for _ in range(2)]
    assert Signal.CLOSED in heard
    await system.daemon.lifecycle.close()


async def test_activity_that_the_store_did_not_take_is_stored_later(
    system: FakeDaemon, capsys: pytest.CaptureFixture[str]
) -> None:
    """An outage is said in a line, not as a defect."""
    await system.execute()
    system.store.fail_next("touch_workspaces", StoreUnavailable("The disk is full."))
    await asyncio.sleep(6)
    assert "The disk is full." in capsys.readouterr().out
    await asyncio.sleep(6)
    (stored,) = await system.store.workspaces()
    assert stored.last_activity_at == system.daemon.fleet.get(ALICE).active_at
    assert "Traceback" not in capsys.readouterr().out
