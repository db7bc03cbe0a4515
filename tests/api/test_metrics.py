"""Prometheus text: right names, and never more series than were allowed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.conftest import client_of
from tests.fakes.daemon import FakeDaemon
from wsmgr.api.app import build
from wsmgr.api.identity import Peer, People, Tokens
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.workspace import Desired

Samples = dict[str, dict[str, float]]


async def scraped(tmp_path: Path, workspaces: int, most: int) -> Samples:
    """The samples by name and by the label `workspace`, of a daemon with so many workspaces that run."""
    system = await FakeDaemon(tmp_path, metrics_per_workspace=most, memory_budget=64, memory_mb=2**16).start()
    for number in range(workspaces):
        await system.daemon.workspaces.put(WorkspaceId(f"user:w{number}"), Desired.RUNNING, "uid:0", 10)
    system.meter.spend(system.instance("user:w0"), network_in_bytes=77, cpu_s=1.5)
    await system.daemon.usage.sampler.sweep()
    app = build(system.daemon, People(os.getuid(), [], []), Tokens({}))
    async with client_of(app, Peer(os.getuid(), frozenset())) as client:
        text = (await client.get("/metrics")).text
    await system.stop()
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[sample.labels.get("workspace", "")] = sample.value
    return found


async def test_the_daemon_and_its_host_have_figures(tmp_path: Path) -> None:
    """In the units that Prometheus wants."""
    found = await scraped(tmp_path, 1, 0)
    assert found["wsmgr_host_memory_bytes"][""] == 24 * 2**30
    assert found["wsmgr_host_cpu_ratio"][""] == 0.125
    assert found["wsmgr_workspaces_network_receive_bytes_total"][""] == 77
    assert found["wsmgr_workspaces_cpu_seconds_total"][""] == 1.5
    assert found["wsmgr_sweeps_total"][""] >= 1
    assert found["wsmgr_memory_held_bytes"][""] == 128 * 2**20
    assert found["wsmgr_engine_up"][""] == 1
    assert not any(name.startswith("wsmgr_workspace_") and "" not in each for name, each in found.items())


@pytest.mark.parametrize(("workspaces", "most"), [(3, 2), (3, 5)])
async def test_workspaces_have_series_up_to_the_setting(tmp_path: Path, workspaces: int, most: int) -> None:
    """The first by id; how many are left out is said."""
    found = await scraped(tmp_path, workspaces, most)
    there = {f"user:w{number}" for number in range(min(workspaces, most))}
    assert set(found["wsmgr_workspace_memory_bytes"]) == there
    assert found["wsmgr_workspace_network_receive_bytes_total"]["user:w0"] == 77
    assert found["wsmgr_workspaces_without_series"][""] == max(0, workspaces - most)
    assert all(set(each) <= there | {""} for each in found.values())
