"""kill -9 of the daemon, again and again, while twenty clients call with ids: every answer is right, safe to retry, or
honest, and nothing runs twice. Runs are counted from outside, in the workspaces' own scratch space."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from tests.podman.daemon.rig import ensure_image, podman, refuse_root, wait_for
from tests.soak import promises
from tests.soak.acts import Call, How, Place
from tests.soak.callers import Caller, inline
from tests.soak.logbook import audit
from tests.soak.stage import Stage
from wsmgr.client import AsyncClient

CLIENTS = 20
KILLS = 5
PROBE = {"how": "ok", "ms": 0, "echo": ""}
PLACES = [Place(f"loop{number}") for number in range(4)]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A daemon whose workspaces run, and the witness of what they run."""
    refuse_root()
    await asyncio.to_thread(ensure_image)
    with tempfile.TemporaryDirectory(prefix="wsm-") as place:
        stage = Stage(Path(place), seed=1)
        stage.witness.start()
        await stage.start_daemon()
        try:
            yield stage
        finally:
            stage.witness.stop()
            await asyncio.to_thread(stage.daemon.stop)
            for one in await asyncio.to_thread(stage.daemon.containers):
                podman("rm", "-f", "-t", "0", one["Id"])


async def call_on(stage: Stage, client: AsyncClient, number: int, over: asyncio.Event) -> None:
    """One client: named calls without a pause, each until it is answered."""
    caller, draw = Caller(stage, number), random.Random(number)  # noqa: S311  # a seed, so that a failure comes again
    for turn in count():
        if over.is_set():
            return
        how = How.SLOW if draw.random() < 0.5 else How.OK
        call = Call(PLACES[(number + turn) % len(PLACES)], how, None, draw.randint(50, 400), True, False, 0.0)
        await caller.succeeds(client, call)


@pytest.mark.timeout(400)
async def test_nothing_runs_twice(stage: Stage) -> None:
    """Five kills at moments that differ; in the end every id has its answer, one record, and one run at the most."""
    over = asyncio.Event()
    async with stage.client() as client:
        await asyncio.gather(*(client.execute(place.user, inline(How.OK), PROBE) for place in PLACES))
        before = {one["Id"] for one in await asyncio.to_thread(stage.daemon.containers)}
        clients = [asyncio.create_task(call_on(stage, client, number, over)) for number in range(CLIENTS)]
        for kill in range(KILLS):
            # Those that ended well: a call that a kill cut off need not have run.
            well = stage.ledger.tally["succeeded"]
            await asyncio.to_thread(wait_for, lambda: stage.ledger.tally["succeeded"] >= well + CLIENTS, 60)  # noqa: B023
            await asyncio.sleep(0.07 * kill)  # the moment of the kill is what varies; nothing is waited for
            stage.daemon_goes()
            await asyncio.to_thread(stage.daemon.kill)
            await stage.start_daemon()
        over.set()
        await asyncio.gather(*clients)
        wrong = stage.ledger.wrong + await promises.of_executions(client, stage.ledger, stage.witness)
    assert wrong == []
    told = list(stage.ledger.told.values())
    assert all(one.last == "answer" for one in told)
    lost = [one for one in told if one.answers[-1].error and one.answers[-1].error.type == "Lost"]
    assert len(lost) + sum(one.answers[-1].success for one in told) == len(told)
    assert lost, "no call was cut: the kills proved nothing"
    assert sum(stage.witness.runs().values()) >= CLIENTS * KILLS, "the witness saw too little to judge by"
    assert {one["Id"] for one in await asyncio.to_thread(stage.daemon.containers)} == before
    assert list(audit(stage.daemon.log.read_text().splitlines())) == []
