"""An idle timeout of 2 s under steady traffic for five minutes: not one call is lost to the idle stop."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.channel import FakeChannel
from tests.fakes.daemon import FakeDaemon, until
from wsmgr.core.execution import ExecutionState
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.limits import FREE, Plan

MINUTES_5 = 300.0
OWNERS = 4
BRIEF = Plan("FREE", replace(FREE.limits, idle_timeout_s=2))
"""Put in the place of each workspace's plan, which is what an override of an owner comes to."""


class Traffic:
    """Callers of several owners over a daemon of fakes; every call has an input of its own."""

    def __init__(self, system: FakeDaemon, seed: int) -> None:
        self.system = system
        self.answered: Counter[str] = Counter()
        self.cold = 0
        self._draw = random.Random(seed)  # noqa: S311  # a seed, so that a failure comes again

    async def flow(self, caller: int, pause_s: tuple[float, float]) -> None:
        """One caller: a call, a pause, and again, for five minutes."""
        clock = asyncio.get_running_loop()
        until_s, number = clock.time() + MINUTES_5, 0
        while clock.time() < until_s:
            number += 1
            workspace = f"user:u{self._draw.randrange(OWNERS)}"
            name = f"{caller}-{number}" if self._draw.random() < 0.3 else None
            record = await self.system.execute(workspace, id=name, input=[caller, number])
            assert record.state is ExecutionState.SUCCEEDED
            assert record.outcome is not None
            assert record.outcome.output == [caller, number]
            self.answered[workspace] += 1
            self.cold += record.cold_start
            await asyncio.sleep(self._draw.uniform(*pause_s))


@pytest.mark.parametrize(
    ("callers", "pause_s"),
    [
        pytest.param(1, (1.9, 2.4), id="at the timeout", marks=pytest.mark.slow),
        pytest.param(2, (0.5, 6.0), id="now and then"),
        pytest.param(4, (2.0, 9.0), id="many, seldom", marks=pytest.mark.slow),
        pytest.param(12, (0.0, 1.0), id="without a pause", marks=pytest.mark.slow),
    ],
)
async def test_every_call_is_answered(tmp_path: Path, callers: int, pause_s: tuple[float, float]) -> None:
    """Rightly, once, whatever moment of a stop it meets; where the pauses are long the ladder does stop."""
    system = FakeDaemon(tmp_path)
    system.channel = FakeChannel(latency_s=0.05)
    system.daemon = system._compose()
    await system.start()
    for owner in range(OWNERS):
        await system.put(f"user:u{owner}")
        (await system.daemon.fleet.ensure(WorkspaceId(f"user:u{owner}")))[0].plan = BRIEF
    traffic = Traffic(system, callers)
    await asyncio.gather(*(traffic.flow(caller, pause_s) for caller in range(callers)))
    stops = system.actions().count("workspace.idle_stop")
    assert sum(traffic.answered.values()) > 100
    assert "workspace.failed" not in system.actions()
    if pause_s != (0.0, 1.0):
        assert stops > 50
        assert traffic.cold >= stops
    await until(lambda: system.engine.running() == set(), 5)
    await system.stop()
