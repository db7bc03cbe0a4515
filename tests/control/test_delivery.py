"""Notices of alerts: in order, again and again, and never in the way of anything else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon
from wsmgr.core.alert import Severity, Trouble
from wsmgr.core.execution import ExecutionState

DOWN = "Podman does not answer."
AWAY = "engine.away:container"


async def blip(system: FakeDaemon, seconds: float = 20) -> None:
    """The engine goes, and is back after so long."""
    system.engine.down = DOWN
    await asyncio.sleep(seconds)
    system.engine.down = None
    await asyncio.sleep(seconds)


async def test_an_alert_is_told_when_it_is_raised_and_when_it_is_resolved(system: FakeDaemon) -> None:
    """Once each, and at once."""
    await blip(system)
    assert system.notifier.told == [(AWAY, "raised"), (AWAY, "resolved")]
    await asyncio.sleep(7200)
    assert len(system.notifier.tried) == 2


async def test_what_is_refused_is_tried_again_with_growing_pauses(system: FakeDaemon) -> None:
    """And in order: that it is over is not told before that it was."""
    system.notifier.down = True
    await blip(system)
    await asyncio.sleep(400)
    assert system.notifier.told == []
    pauses = [round(b - a) for a, b in zip(system.notifier.tried, system.notifier.tried[1:], strict=False)]
    assert pauses[:4] == [1, 5, 30, 120]
    system.notifier.down = False
    await asyncio.sleep(125)
    assert system.notifier.told == [(AWAY, "raised"), (AWAY, "resolved")]


@pytest.mark.slow
async def test_after_an_hour_it_is_given_up_and_said(system: FakeDaemon) -> None:
    """In the audit trail, once for each notice; later alerts are told again."""
    system.notifier.down = True
    await blip(system)
    await asyncio.sleep(2 * 3700)
    assert system.actions().count("alert.not_delivered") == 2
    tries = len(system.notifier.tried)
    assert tries < 80
    await asyncio.sleep(7200)
    assert len(system.notifier.tried) == tries
    system.notifier.down = False
    await blip(system)
    assert system.notifier.told == [(AWAY, "raised"), (AWAY, "resolved")]


async def test_a_receiver_that_hangs_delays_nothing(system: FakeDaemon) -> None:
    """Calls, alerts and the end of the daemon go on."""
    system.notifier.slow_s = 5
    system.engine.down = DOWN
    assert (await system.execute()).state is ExecutionState.SUCCEEDED
    await asyncio.sleep(60)
    assert len(await system.store.open_alerts()) == 2
    system.engine.down = None
    await asyncio.sleep(60)
    assert await system.store.open_alerts() == []
    started = asyncio.get_running_loop().time()
    await system.stop()
    assert asyncio.get_running_loop().time() - started < 5
    assert system.notifier.closed


async def test_one_cause_that_is_refused_holds_up_no_other(system: FakeDaemon) -> None:
    """A receiver may dislike one notice."""
    system.notifier.refuses = AWAY
    system.engine.down = DOWN
    await system.execute()
    await asyncio.sleep(30)
    assert system.notifier.told == [("workspace.degraded:user:alice", "raised")]


async def test_a_new_daemon_tells_what_the_old_one_could_not(system: FakeDaemon, tmp_path: Path) -> None:
    """Under the same ids, so that a receiver that heard it already knows."""
    system.notifier.down = True
    await blip(system)
    pending = await system.store.untold(system.daemon.clock.now().replace(year=2020), 9)
    await system.crash()
    system.notifier.down = False
    second = FakeDaemon(tmp_path)
    second.adopt_world_of(system)
    await second.start()
    await asyncio.sleep(5)
    assert [notice.id for notice in second.notifier.delivered] == [notice.id for notice in pending]
    assert len(pending) == 2
    await second.stop()


async def test_a_hundred_notices_are_all_told(system: FakeDaemon) -> None:
    """Though few go at the same time."""
    for number in range(100):
        await system.store.raise_alert(Trouble(f"x{number}", Severity.WARNING, "x"), system.daemon.clock.now())
    await blip(system)
    raised = {cause for cause, stage in system.notifier.told if stage == "raised"}
    assert len(raised) == 101
