"""The capability matrix of this very host, from a real probe container."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from tests.contract.engine.eventually import eventually
from tests.contract.engine.rig import MakeSpec
from tests.podman.engine.rig import IMAGE, Podman, podman
from wsmgr.adapters.podman.engine import PodmanEngine
from wsmgr.adapters.podman.matrix import NAMES
from wsmgr.adapters.podman.process import start_ticks
from wsmgr.core.capability import Level

PURE_V2 = Path("/sys/fs/cgroup/cgroup.controllers").exists()


async def test_what_this_host_enforces(podman_: Podman) -> None:
    """What needs no cgroup is enforced everywhere; limits are never claimed where the host has no pure cgroups v2."""
    lines = {line.name: line for line in await podman_.engine.capabilities()}
    assert tuple(lines) == NAMES
    everywhere = {
        "no_new_privileges", "seccomp", "capabilities", "network", "read_only_root", "scratch", "user_namespace",
        "channel", "log_cap",
    }  # fmt: skip
    assert {name for name in everywhere if lines[name].level is not Level.ENFORCED} == set()
    if not PURE_V2:
        assert [lines[name].level for name in ("memory", "cpu")] == [Level.ABSENT] * 2
        assert lines["pids"].level is Level.BEST_EFFORT
        assert "Podman said: " in lines["memory"].evidence


async def test_a_probe_is_never_a_workspace_and_leaves_nothing(podman_: Podman, spec: MakeSpec) -> None:
    """While probes run at the same time, lists show the one workspace only; afterwards no probe is left."""
    made = spec("user:a")
    await podman_.engine.create(made)
    probing = asyncio.gather(podman_.engine.capabilities(), podman_.engine.capabilities())
    while not probing.done():
        assert [found.workspace for found in await podman_.engine.list()] == [made.workspace]
    first, second = await probing
    assert [line.level for line in first] == [line.level for line in second]
    left = await podman("ps", "--all", "--quiet", "--filter", f"label=wsmgr.probe={podman_.instance}")
    assert left == ""


async def test_a_cancelled_probe_leaves_nothing(podman_: Podman) -> None:
    """Shutting down in the middle of a probe removes its container first."""
    probing = asyncio.create_task(podman_.engine.capabilities())

    async def made() -> str | None:
        return await podman("ps", "--all", "--quiet", "--filter", f"label=wsmgr.probe={podman_.instance}") or None

    await eventually(made)
    probing.cancel()
    await asyncio.gather(probing, return_exceptions=True)
    assert await made() is None


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
