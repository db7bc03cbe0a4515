"""Telling URLs that queued calls are over."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.control.test_queue import over, put
from tests.fakes.daemon import FakeDaemon, until
from wsmgr.control.callbacks import GIVE_UP_S
from wsmgr.core.errors import InvalidRequest, Unsupported
from wsmgr.core.ids import ExecutionId

URL = "https://platform.example/over"


def caller_of(system: FakeDaemon) -> list[tuple[str, str]]:
    """Whom it called, and with which state."""
    assert system.caller is not None
    return [(url, record.state.value) for url, record in system.caller.called]


async def test_the_end_is_told_once(system: FakeDaemon) -> None:
    """With the record; a call without a callback tells nobody."""
    await put(system, callback=URL)
    await put(system, "y")
    await until(lambda: caller_of(system) == [(URL, "succeeded")])
    await over(system, "y")
    await asyncio.sleep(3 * GIVE_UP_S)
    assert caller_of(system) == [(URL, "succeeded")]


async def test_a_cancelled_one_is_told_too(system: FakeDaemon) -> None:
    """Nobody waits for a result in vain."""
    system.daemon.queue._at_once = 0
    await put(system, callback=URL)
    await system.daemon.cancelling.cancel(ExecutionId("x"))
    await until(lambda: caller_of(system) == [(URL, "cancelled")])


@pytest.mark.slow
async def test_a_receiver_that_is_down_is_tried_again_and_given_up_in_the_end(system: FakeDaemon) -> None:
    """With growing pauses, for an hour; the audit trail says that it was in vain."""
    assert system.caller is not None
    system.caller.down = True
    await put(system, callback=URL)
    await until(lambda: len(system.caller.tried) == 4 if system.caller else False, seconds=600)
    gaps = [later - sooner for sooner, later in zip(system.caller.tried, system.caller.tried[1:], strict=False)]
    assert gaps == sorted(gaps)
    await until(lambda: "execution.callback_given_up" in system.actions(), seconds=2 * GIVE_UP_S)
    tried = len(system.caller.tried)
    await asyncio.sleep(GIVE_UP_S)
    assert len(system.caller.tried) == tried


async def test_a_restart_loses_no_callback(system: FakeDaemon, tmp_path: Path) -> None:
    """The next daemon tells what this one could not."""
    assert system.caller is not None
    system.caller.down = True
    await put(system, callback=URL)
    await until(lambda: bool(system.caller and system.caller.tried))
    await system.crash()
    following = FakeDaemon(tmp_path)
    following.adopt_world_of(system)
    system.caller.down = False
    await following.start()
    await until(lambda: caller_of(following) == [(URL, "succeeded")])
    await following.stop()


async def test_a_target_that_turns_out_to_be_refused_is_given_up_at_once(system: FakeDaemon) -> None:
    """Trying it again would not help."""
    assert system.caller is not None
    system.caller.refused.add(URL)
    await put(system, callback=URL)
    await until(lambda: "execution.callback_given_up" in system.actions())
    assert len(system.caller.tried) == 1


async def test_callbacks_are_checked_when_they_are_asked_for(system: FakeDaemon, tmp_path: Path) -> None:
    """Where there is a caller, by it; where there is none, none is accepted."""
    assert system.caller is not None
    system.daemon.callbacks.check(URL)
    system.caller.refused.add(URL)
    with pytest.raises(InvalidRequest, match="callback: It leads"):
        system.daemon.callbacks.check(URL)
    silent = FakeDaemon(tmp_path)
    silent.caller = None
    silent.daemon = silent._compose()
    with pytest.raises(Unsupported, match="calls nobody back"):
        silent.daemon.callbacks.check(URL)
