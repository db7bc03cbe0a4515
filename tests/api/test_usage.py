"""What was used, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.daemon import FakeDaemon
from wsmgr.api import usage as mapping
from wsmgr.control.usage import Series
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.series import Bucket, Counts, Point, Spread, Window
from wsmgr.core.sketch import bucket_of, pack
from wsmgr.core.usage import GAUGES
from wsmgr.core.workspace import Desired
from wsmgr.wire.usage import OwnerUsage, Usage, UsagePoint

ALICE = "/api/workspaces/user:alice/usage"
AT = 1_800_000_000
SPREAD = Spread(0.00049, 1 / 3, 2.5)


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[FakeDaemon]:
    """A daemon that has looked at Alice's workspace twice, a moment apart."""
    system = await FakeDaemon(tmp_path, sample_every_s=1).start()
    await system.put()
    await system.daemon.workspaces.put(WorkspaceId("user:alice"), Desired.RUNNING, "uid:0", 10)
    await system.execute()
    await system.daemon.usage.sampler.sweep()
    system.meter.spend(system.instance(), cpu_s=0.5, network_in_bytes=10)
    # Two readings have to be some time apart for a rate.
    await asyncio.sleep(0.01)
    await system.daemon.usage.sampler.sweep()
    assert system.daemon.usage.current(WorkspaceId("user:alice")).network_in_bytes == 10
    yield system
    if not system.daemon.executions.refusing:
        await system.stop()


@pytest.mark.parametrize("query", ["", "?range=15m", "?range=6h&points=1", "?range=24h&points=2000"])
async def test_usage_is_what_the_wire_says(service: httpx.AsyncClient, query: str) -> None:
    """In each range, for everybody who may call."""
    answer = await service.get(ALICE + query)
    assert answer.status_code == 200
    usage = Usage.model_validate_json(answer.content)
    assert usage.points
    newest = usage.points[-1]
    assert newest.memory_mb is not None
    assert newest.memory_mb.max == 28.0
    assert newest.memory_limit_mb is not None
    assert sum(point.executions for point in usage.points) == 1
    assert usage.from_ <= newest.at < usage.to
    assert (usage.to - usage.from_).total_seconds() % usage.step_s == 0


async def test_the_range_is_an_hour_when_none_is_named(service: httpx.AsyncClient) -> None:
    """In minutes."""
    usage = Usage.model_validate_json((await service.get(ALICE)).content)
    assert (usage.range, usage.step_s, (usage.to - usage.from_).total_seconds()) == ("1h", 60, 3600)


@pytest.mark.parametrize("query", ["range=2h", "range=", "points=0", "points=2001", "points=x"])
async def test_what_cannot_be_asked_is_refused(service: httpx.AsyncClient, query: str) -> None:
    """With 422, and one sentence."""
    answer = await service.get(f"{ALICE}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_a_workspace_that_never_was_has_no_points(service: httpx.AsyncClient) -> None:
    """As one that was removed long ago."""
    answer = await service.get("/api/workspaces/user:nobody/usage?range=15m")
    assert (answer.status_code, answer.json()["points"]) == (200, [])


async def test_a_workspace_says_what_it_uses_now(service: httpx.AsyncClient) -> None:
    """By the platform's names, and more; idle seconds have their moment."""
    body = (await service.get("/api/workspaces/user:alice")).json()
    use = body["resourceUsage"]
    assert (use["memoryMb"], use["networkInBytes"], use["networkOutBytes"]) == (28.0, 10, 0)
    assert use["cpuPercent"] is not None
    assert (use["memoryLimitMb"], use["pids"], use["executionsPerMin"], use["throttledPercent"]) == (128, 12, 1, None)
    assert body["observedAt"] is not None


async def test_an_owner_has_totals(admin: httpx.AsyncClient) -> None:
    """Only administrators may ask; nobody's are 0 since never."""
    total = OwnerUsage.model_validate_json((await admin.get("/api/owners/user:alice/usage")).content)
    assert (total.key, total.executions, total.cpu_seconds, total.network_in_bytes) == ("user:alice", 1, 0.5, 10)
    assert total.since is not None
    nobody = OwnerUsage.model_validate_json((await admin.get("/api/owners/org:nobody/usage")).content)
    assert nobody == OwnerUsage(key="org:nobody")


async def test_the_host_is_told_as_the_last_look_found_it(admin: httpx.AsyncClient) -> None:
    """Nothing is measured for a question."""
    host = (await admin.get("/api/host")).json()
    assert (host["cpuPercent"], host["memoryMb"], host["memoryAvailableMb"]) == (12.5, 24 * 1024, 20 * 1024)
    assert host["diskFreeMb"] == 30 * 1024


def point(**more: Any) -> Point:
    """One with something in each second gauge."""
    spreads = tuple(SPREAD if number % 2 == 0 else None for number in range(len(GAUGES)))
    return Point(AT, 3, spreads, Counts(1, 2, 3, 4), **more)


async def test_every_member_of_a_point_is_written() -> None:
    """The JSON is made without the model: it has the same members, with the values of the point."""
    runs = pack({bucket_of(10.0): 99, bucket_of(1000.0): 1})
    series = Series(Window(AT, 60, 1), [Bucket(point(durations=runs), gap_after=True)])
    body = await mapping.usage("6h", series)
    (found,) = Usage.model_validate_json(body).points
    assert set(found.model_fields_set) == set(UsagePoint.model_fields)
    assert (found.at.timestamp(), found.gap_after) == (AT, True)
    assert (found.oom_kills, found.executions, found.errors, found.restarts) == (1, 2, 3, 4)
    gauges = [getattr(found, gauge) for gauge in GAUGES]
    assert [gauge is None for gauge in gauges] == [number % 2 == 1 for number in range(len(GAUGES))]
    assert (gauges[0].min, gauges[0].avg, gauges[0].max) == (0.0, 0.333, 2.5)
    assert found.p50_ms == pytest.approx(10.0, rel=0.05)
    assert found.p95_ms == pytest.approx(10.0, rel=0.05)


async def test_a_minute_without_runs_has_no_durations() -> None:
    """Null, and not 0."""
    body = await mapping.usage("1h", Series(Window(AT, 60, 1), [Bucket(point(), gap_after=False)]))
    (found,) = Usage.model_validate_json(body).points
    assert (found.p50_ms, found.p95_ms) == (None, None)
