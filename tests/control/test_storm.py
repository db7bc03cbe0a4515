"""What holds for any interleaving of calls, people, deaths, outages, idle time and restarts of the daemon."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.control.storm import ROOM, Storm
from wsmgr.core.execution import Execution, ExecutionState
from wsmgr.core.workspace import Desired


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 7))])
async def test_the_storm(tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    """One writer, no stop under a call that nobody asked for, no start beyond the budget of restarts, an answer for
    every call; and in the calm every wish is reached, with nothing left over."""
    storm = Storm(tmp_path, seed)
    await storm.start()
    for workspace in storm.workspaces:
        await storm.put(workspace)
    await storm.rage(120)
    await storm.calm()
    assert storm.container.forbidden + storm.stand_in.forbidden == []
    assert storm.defects == []
    assert storm.orphans() == set()
    served = [answer for answer in storm.answers if isinstance(answer, Execution)]
    assert sum(record.state is ExecutionState.SUCCEEDED for record in served) > 10
    held = [entry for entry in storm.daemon.fleet if entry.record.desired is Desired.RUNNING]
    assert len(held) <= ROOM
    for workspace in storm.workspaces[:ROOM]:
        assert (await storm.execute(workspace)).state is ExecutionState.SUCCEEDED
    await storm.stop()
    assert storm.container.running() | storm.stand_in.running() == set()
    assert "reconciler defect" not in capsys.readouterr().out
