"""The capability matrix of this very host, from a real probe container."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.engine.eventually import eventually
from tests.contract.engine.rig import MakeSpec
from tests.podman.engine.rig import IMAGE, Podman, podman
from wsmgr.adapters.podman.body import create_body
from wsmgr.adapters.podman.breaker import breaker_body
from wsmgr.adapters.podman.breaking import watch_breaker
from wsmgr.adapters.podman.calls import PodmanCalls
from wsmgr.adapters.podman.capabilities import PROBE_SPEC, CapabilityProbe
from wsmgr.adapters.podman.engine import PodmanEngine
from wsmgr.adapters.podman.matrix import NAMES
from wsmgr.adapters.podman.process import start_ticks
from wsmgr.adapters.podman.starting import start_container
from wsmgr.adapters.podman.trial import Attempt
from wsmgr.core.capability import Level
from wsmgr.core.workspace import Spec

PURE_V2 = Path("/sys/fs/cgroup/cgroup.controllers").exists()


async def test_what_this_host_enforces(podman_: Podman) -> None:
    """What needs no cgroup is enforced everywhere; limits are never claimed where the host has no pure cgroups v2."""
    lines = {line.name: line for line in await podman_.engine.capabilities()}
    assert tuple(lines) == NAMES
    versions = podman_.engine.versions
    assert versions is not None
    assert lines["engine"].evidence.startswith(f"{versions.engine}, {versions.runtime}, ")
    everywhere = {
        "no_new_privileges", "seccomp", "capabilities", "network", "read_only_root", "scratch", "user_namespace",
        "channel", "log_cap",
    }  # fmt: skip
    assert {name for name in everywhere if lines[name].level is not Level.ENFORCED} == set()
    if PURE_V2:
        broken = {"memory": "oom_kill", "cpu": "nr_throttled", "pids": "pids.events: max", "freeze": "frozen 1"}
        assert {name: lines[name].level for name in broken} == dict.fromkeys(broken, Level.ENFORCED), lines
        assert [name for name, words in broken.items() if words not in lines[name].evidence] == []
    else:
        assert [lines[name].level for name in ("memory", "cpu", "freeze")] == [Level.ABSENT] * 3
        assert lines["pids"].level is Level.BEST_EFFORT
        assert "Podman said: " in lines["memory"].evidence
        assert "fork was refused after " in lines["pids"].evidence


async def test_fork_is_refused_later_where_more_is_allowed(podman_: Podman) -> None:
    """It is the limit that refuses: twice the limit, about twice the processes; what is no process is a few threads."""
    refused = []
    for pids in (40, 80):
        async with _probe(podman_, replace(PROBE_SPEC, pids=pids)) as probe:
            line = next(line for line in await probe.run() if line.name == "pids")
        found = re.search(r"fork was refused after (\d+) processes", line.evidence)
        assert found is not None, line
        refused.append(int(found[1]))
    assert 20 < refused[0] < 40
    assert 36 <= refused[1] - refused[0] <= 44


async def test_each_step_is_taken_and_told(podman_: Podman) -> None:
    """On a small scale, which every limit allows: then nothing is refused, and what takes memory ends by itself."""
    calls = PodmanCalls(podman_.socket, threads=4, timeout_s=20.0)
    spec = replace(PROBE_SPEC, image=IMAGE)
    body = create_body(spec, name=f"{podman_.instance}-step", labels={"wsmgr.probe": podman_.instance})
    attempt = Attempt(forks=3, burn_ms=50, greedy_mb=8)
    made = await calls.post("/containers/create", body=breaker_body(body, attempt, by_group=True))
    assert made.ok, made.body
    handle = made.json()["Id"]
    assert (await start_container(calls, handle, 30.0)).ok
    pid = (await calls.get(f"/containers/{handle}/json")).json()["State"]["Pid"]
    trial = await watch_breaker(pid, handle, 30.0)
    calls.close()
    assert trial.unfinished is None
    assert (trial.report.forks, trial.report.refused, trial.report.greedy) == (3, None, "exit 0")
    assert trial.report.burn_ms is not None
    assert trial.report.burn_ms >= 50
    assert trial.report.cpu_ms is not None


async def test_a_script_that_hangs_is_evidence(podman_: Podman) -> None:
    """The rest is known all the same; nothing is left."""
    async with _probe(podman_, break_s=0.3, script="setInterval(() => {}, 1000)") as probe:
        lines = {line.name: line for line in await probe.run()}
    assert "the breaking probe did not finish: it took longer than 0.3 s." in lines["pids"].evidence
    assert lines["pids"].level is Level.BEST_EFFORT
    assert lines["seccomp"].level is Level.ENFORCED
    assert await _left(podman_) is None


async def test_a_script_that_ends_is_evidence(podman_: Podman) -> None:
    """And is not waited for."""
    async with _probe(podman_, script="process.exit(3)", break_s=60.0) as probe:
        lines = {line.name: line for line in await probe.run()}
    assert "the breaking probe did not finish: " in lines["pids"].evidence
    assert await _left(podman_) is None


@asynccontextmanager
async def _probe(at: Podman, spec: Spec = PROBE_SPEC, **options: Any) -> AsyncIterator[CapabilityProbe]:
    """A probe with settings of the test's own."""
    calls = PodmanCalls(at.socket, threads=4, timeout_s=20.0)
    starts = asyncio.Semaphore(2)
    try:
        yield CapabilityProbe(
            calls, at.instance, replace(spec, image=IMAGE), starts=starts, long_timeout_s=60.0, **options
        )
    finally:
        calls.close()


async def _left(at: Podman) -> str | None:
    """The ids of probe containers."""
    return await podman("ps", "--all", "--quiet", "--filter", f"label=wsmgr.probe={at.instance}") or None


async def test_a_probe_is_never_a_workspace_and_leaves_nothing(podman_: Podman, spec: MakeSpec) -> None:
    """While probes run at the same time, lists show the one workspace only; afterwards no probe is left."""
    made = spec("user:a")
    await podman_.engine.create(made)
    probing = asyncio.gather(podman_.engine.capabilities(), podman_.engine.capabilities())
    while not probing.done():
        assert [found.workspace for found in await podman_.engine.list()] == [made.workspace]
    first, second = await probing
    assert [line.level for line in first] == [line.level for line in second]
    assert await _left(podman_) is None


@pytest.mark.parametrize("containers", [1, 2])
async def test_a_cancelled_probe_leaves_nothing(podman_: Podman, containers: int) -> None:
    """Shutting down in the middle of a probe removes its containers first: the first one, or both."""
    async with _probe(podman_, script="setInterval(() => {}, 1000)", break_s=60.0) as probe:
        probing = asyncio.create_task(probe.run())

        async def made() -> bool | None:
            return len((await _left(podman_) or "").split()) >= containers or None

        await eventually(made)
        probing.cancel()
        await asyncio.gather(probing, return_exceptions=True)
    assert await _left(podman_) is None


async def test_a_probe_under_which_the_service_dies_leaves_nothing(podman_: Podman) -> None:
    """It is removed as soon as the service is back."""
    probing = asyncio.create_task(podman_.engine.capabilities())

    async def probes() -> str | None:
        return await podman("ps", "--all", "--quiet", "--filter", f"label=wsmgr.probe={podman_.instance}") or None

    await eventually(probes)
    process = podman_.service.own
    assert process is not None
    process.signal(signal.SIGKILL)
    await asyncio.gather(probing, return_exceptions=True)
    assert await probes() is None


async def test_the_probe_of_a_prober_that_died_is_removed_by_the_next(podman_: Podman) -> None:
    """And that of one that lives is left alone: it is at work."""
    labels = ["--label", f"wsmgr.probe={podman_.instance}", "--label"]
    dead = (await podman("create", *labels, "wsmgr.prober=1.1", IMAGE)).strip()
    alive = (await podman("create", *labels, f"wsmgr.prober={os.getpid()}.{start_ticks(os.getpid())}", IMAGE)).strip()
    await podman_.engine.capabilities()
    left = (await podman("ps", "--all", "--quiet", "--no-trunc", "--filter", "label=wsmgr.prober")).split()
    assert dead not in left
    assert alive in left


async def test_without_an_image_nothing_is_claimed(podman_: Podman) -> None:
    """The matrix says that no probe ran, and what to do."""
    engine = PodmanEngine(podman_.socket, podman_.instance, probe_image="localhost/no-such:1")
    await engine.open()
    lines = await engine.capabilities()
    assert {line.level for line in lines} == {Level.ABSENT}
    assert all("wsmgr image build" in (line.mend or "") for line in lines)
    await engine.close()
