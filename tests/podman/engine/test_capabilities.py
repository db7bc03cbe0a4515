"""The capability matrix of this very host, from a real probe container."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.contract.engine.eventually import eventually
from tests.contract.engine.rig import MakeSpec
from tests.podman.engine.rig import Podman, podman
from wsmgr.adapters.podman.engine import PodmanEngine
from wsmgr.adapters.podman.matrix import NAMES
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


async def test_without_an_image_nothing_is_claimed(podman_: Podman) -> None:
    """The matrix says that no probe ran, and what to do."""
    engine = PodmanEngine(podman_.socket, podman_.instance, probe_image="localhost/no-such:1")
    await engine.open()
    lines = await engine.capabilities()
    assert {line.level for line in lines} == {Level.ABSENT}
    assert all("wsmgr image build" in (line.mend or "") for line in lines)
    await engine.close()
