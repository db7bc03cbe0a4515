"""A daemon whose workspaces use what a test says, with sweeps of its own making."""

from __future__ import annotations

import asyncio

from tests.fakes.daemon import FakeDaemon
from wsmgr.control.rollup import MINUTE_S
from wsmgr.control.usage import Series
from wsmgr.core.ids import OwnerKey, WorkspaceId
from wsmgr.core.limits import ENTERPRISE
from wsmgr.core.usage import GAUGES, Current, Share

ALICE = "user:alice"
BOB = "user:bob"
OWNER = OwnerKey(ALICE)
PERIOD_S = 5
STALL = 0.25
"""Virtual time goes on while a busy machine lets the loop wait, and rates are by it: so far they may be off."""


async def run(system: FakeDaemon, *workspaces: str) -> None:
    """Have them run, with a plan that does not stop them for half an hour; no execution is counted for it."""
    for workspace in workspaces:
        entry, _ = await system.daemon.fleet.ensure(WorkspaceId(workspace))
        entry.plan = ENTERPRISE
        await system.daemon.workspaces.start(WorkspaceId(workspace), "uid:0", 10)


async def sweeps(system: FakeDaemon, count: int = 1) -> None:
    """Wait until so many more were made."""
    sampler = system.daemon.usage.sampler
    until = sampler.sweeps + count
    while sampler.sweeps < until:  # noqa: ASYNC110  # a sweep sends no event
        await asyncio.sleep(0.05)


async def minute(system: FakeDaemon) -> None:
    """Wait until the minute is over and stored."""
    now = system.daemon.clock.now().timestamp()
    await asyncio.sleep(MINUTE_S + 2 * PERIOD_S - now % MINUTE_S)


def now(system: FakeDaemon, workspace: str = ALICE) -> Current:
    """What is told of it."""
    return system.daemon.usage.current(WorkspaceId(workspace))


async def series(system: FakeDaemon, range_s: int, most: int = 2000, workspace: str = ALICE) -> Series:
    """What it used."""
    return await system.daemon.usage.series(WorkspaceId(workspace), range_s, most)


async def owned(system: FakeDaemon, owner: str = ALICE) -> Share:
    """What the owner used in all."""
    total = await system.daemon.usage.of_owner(OwnerKey(owner))
    assert total is not None
    return total.share


def values(found: Series, gauge: str) -> list[float | None]:
    """The means of one gauge, bucket by bucket."""
    spreads = [bucket.point.spreads[GAUGES.index(gauge)] for bucket in found.buckets]
    return [None if spread is None else round(spread.avg, 3) for spread in spreads]
