"""The prober: what it notices, and what it leaves alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes.channel import Mood
from tests.fakes.daemon import FakeDaemon, until
from wsmgr.control.unit import Unit
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.limits import ENTERPRISE
from wsmgr.core.workspace import Phase

ALICE = WorkspaceId("user:alice")


@pytest.fixture
async def unit(system: FakeDaemon) -> Unit:
    """Alice's unit, running, with a plan that does not stop it for half an hour."""
    entry = (await system.daemon.fleet.ensure(ALICE))[0]
    entry.plan = ENTERPRISE
    await system.execute()
    return entry.unit


async def test_a_healthy_workspace_is_asked_every_30_seconds(system: FakeDaemon, unit: Unit) -> None:
    """And the record says so."""
    asked = len(system.channel.asked)
    await asyncio.sleep(31)
    assert [method for method, _ in system.channel.asked[asked:]] == ["health"]
    assert (unit.healthy, unit.check_failures) == (True, 0)
    assert unit.checked is not None
    assert unit.last_check == unit.checked.at


@pytest.mark.parametrize(
    ("mood", "cause"),
    [
        (Mood.SILENT, "It hung: it did not answer its health check 3 times."),
        (Mood.DRAINING, "It failed its health check 3 times: it says that it is 'draining'."),
        (Mood.GARBLED, "It failed its health check 3 times: The answer is not JSON."),
    ],
)
async def test_three_failures_in_a_row_replace_it(system: FakeDaemon, unit: Unit, mood: Mood, cause: str) -> None:
    """Counted as a failure with its cause; two change nothing but the record."""
    before = unit.endpoint
    system.runtime().mood = mood
    await until(lambda: unit.check_failures == 2, 70)
    assert (unit.healthy, unit.endpoint, unit.restarts) == (False, before, 0)
    await until(lambda: unit.endpoint not in {None, before}, 40)
    assert (unit.restarts, unit.last_failure) == (1, cause)
    assert (unit.healthy, unit.check_failures) == (True, 0)
    assert len(system.engine.boxes(ALICE)) == 1


async def test_one_good_answer_resets_the_count(system: FakeDaemon, unit: Unit) -> None:
    """Two failures, an answer, two failures: nobody is restarted."""
    for mood in (Mood.SILENT, Mood.WELL, Mood.SILENT):
        system.runtime().mood = mood
        await until(lambda: unit.check_failures == (0 if mood is Mood.WELL else 2), 100)  # noqa: B023
    assert unit.restarts == 0


async def test_a_crash_is_told_from_a_hang_and_noticed_at_the_first_probe(system: FakeDaemon, unit: Unit) -> None:
    """Nothing listens any more: the engine is asked at once and says why."""
    system.engine.fail("list", RuntimeError("this sweep is not to notice it first"), times=100)
    system.die(exit_code=139)
    await until(lambda: unit.restarts == 1, 40)
    assert unit.last_failure == "It was ended by signal 11."


async def test_a_workspace_that_hangs_again_and_again_ends_in_error(tmp_path: Path) -> None:
    """Within the budget, with the cause in the reason."""
    system = await FakeDaemon(tmp_path, health_every_s=1, health_timeout_s=0.5).start()
    await system.put()
    await system.execute()
    unit = system.daemon.fleet.get(ALICE).unit
    while unit.phase is not Phase.ERROR:
        if unit.endpoint is not None:
            system.channel.runtime(unit.endpoint).mood = Mood.SILENT
        await asyncio.sleep(0.05)
    assert "hung" in unit.reason
    assert unit.restarts == 4
    assert system.engine.running() == set()
    await system.stop()


async def test_those_that_hang_delay_nobody(tmp_path: Path) -> None:
    """Thirty-one that hang and sixty that do not: the sweep takes one timeout, and the healthy are asked at once."""
    system = await FakeDaemon(tmp_path).start()
    names = [f"user:u{n}" for n in range(91)]
    for name in names:
        await system.put(name)
    await asyncio.gather(*(system.execute(name) for name in names))
    for name in names[:31]:
        system.runtime(name).mood = Mood.SILENT
    asked = len(system.channel.asked)
    await until(lambda: len(system.channel.asked) == asked + 91, 31)
    sick = [system.daemon.fleet.get(WorkspaceId(name)).unit for name in names]
    await asyncio.sleep(5.1)
    assert [unit.healthy for unit in sick] == [False] * 31 + [True] * 60
    await system.stop()


async def test_a_probe_is_not_activity(system: FakeDaemon, unit: Unit) -> None:
    """Nor does it count as a call while it waits for its answer."""
    entry = system.daemon.fleet.get(ALICE)
    active = entry.active_at
    with system.channel.held("health"):
        await asyncio.sleep(31)
        assert unit.attending == 0
    await asyncio.sleep(1)
    assert entry.active_at == active
