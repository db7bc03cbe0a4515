"""What workspaces use, for real: one that burns and allocates, beside one that does nothing."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.podman.daemon.rig import RealDaemon, output, real_daemon, wait_for
from wsmgr.client import AnswerTimeout, Client
from wsmgr.wire.fleet import FleetChanges, FleetSnapshot
from wsmgr.wire.workspace import ResourceUsage

EVERY_S = 2
ECHO = "export default (input) => input"
GREEDY = """
import fs from 'node:fs';
export default ({ cpuSeconds }) => {
  const held = Buffer.alloc(30 * 2 ** 20, 1);
  fs.writeFileSync('/tmp/kept', Buffer.alloc(10 * 2 ** 20, 1));
  const used = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };
  for (const until = used() + cpuSeconds; used() < until;) for (let n = 0; n < 1e6; n++) held[0] += 1;
  return held.length;
}
"""


def use(client: Client, user: str) -> ResourceUsage:
    """What a user's workspace uses now."""
    return client.workspace(f"user:{user}").resource_usage


def figure(client: Client, name: str) -> float:
    """One of the daemon's metrics."""
    line = next(line for line in client.metrics().splitlines() if line.startswith(f"{name} "))
    return float(line.split()[1])


def after_sweeps(client: Client, count: int) -> Callable[[], bool]:
    """Whether so many more were made."""
    until = figure(client, "wsmgr_sweeps_total") + count
    return lambda: figure(client, "wsmgr_sweeps_total") >= until


def test_who_burns_is_seen_within_two_sweeps_and_who_idles_is_not() -> None:
    """Processor, memory and scratch, by processes or groups as this host has them; its idle neighbour is the control.
    No network is not measured as something."""
    with real_daemon(sample_every_s=EVERY_S) as daemon, daemon.client() as client, ThreadPoolExecutor(1) as pool:
        assert output(client, "idle", ECHO, 1) == 1
        assert output(client, "busy", ECHO, 1) == 1
        wait_for(after_sweeps(client, 2), 30)
        before = use(client, "busy")
        assert before.memory_mb is not None
        assert before.cpu_percent is not None
        running = pool.submit(output, client, "busy", GREEDY, {"cpuSeconds": 6}, timeout_ms=110_000)
        # The second sweep from now is about a time in which it burnt from the beginning to the end.
        wait_for(after_sweeps(client, 3), 30)
        busy, idle = use(client, "busy"), use(client, "idle")
        assert running.result() == 30 * 2**20
        assert busy.cpu_percent is not None
        assert idle.cpu_percent is not None
        assert busy.cpu_percent > 10
        assert idle.cpu_percent < 5
        assert busy.memory_mb is not None
        assert idle.memory_mb is not None
        assert busy.memory_mb > before.memory_mb + 25
        assert 5 < idle.memory_mb < 80
        assert busy.scratch_mb is not None
        assert busy.scratch_mb >= 10
        assert idle.scratch_mb is not None
        assert idle.scratch_mb < 1
        assert (busy.network_in_bytes, idle.network_in_bytes, busy.network_in_bytes_per_s) == (0, 0, 0)
        assert idle.pids is not None
        assert 5 < idle.pids < 128
        _history_has_it(client)


def _history_has_it(client: Client) -> None:
    points = client.workspace_usage("user:busy", range="15m").points
    assert max(point.cpu_percent.max for point in points if point.cpu_percent) > 10
    minutes = client.workspace_usage("user:busy", range="1h").points
    assert max(point.memory_mb.max for point in minutes if point.memory_mb) > 40
    assert max(point.cpu_percent.max for point in points if point.cpu_percent) == pytest.approx(
        max(point.cpu_percent.max for point in minutes if point.cpu_percent)
    )
    wait_for(lambda: sum(p.executions for p in client.workspace_usage("user:busy", range="1h").points) == 2, 10)
    # By the runtime's own clock it burnt 6 s; what starting took comes on top.
    wait_for(lambda: client.owner_usage("user:busy").cpu_seconds >= 5.9, 10)
    assert client.owner_usage("user:busy").cpu_seconds < 9
    assert client.owner_usage("user:idle").cpu_seconds < 3


def test_totals_survive_restarts_of_the_workspace_and_of_the_daemon() -> None:
    """They never get smaller, and what was counted before is not counted again."""
    with real_daemon(sample_every_s=1) as daemon:
        with daemon.client() as client:
            output(client, "ann", GREEDY, {"cpuSeconds": 2}, timeout_ms=110_000)
            wait_for(after_sweeps(client, 2), 30)
            first = client.owner_usage("user:ann").cpu_seconds
            assert 1.9 <= first < 5
            client.restart("user:ann", wait=30)
            output(client, "ann", ECHO, 1)
            wait_for(after_sweeps(client, 2), 30)
            second = client.owner_usage("user:ann").cpu_seconds
            assert first <= second < first + 3
            points = client.workspace_usage("user:ann", range="15m").points
            assert sum(point.restarts for point in points) == 1
            # At the end of a minute it is stored, with how far it has been counted.
            over = time.time() // 60 * 60 + 60
            wait_for(lambda: time.time() > over + 6, 90)
            third = client.owner_usage("user:ann").cpu_seconds
        daemon.kill()
        daemon.start()
        with daemon.client() as client:
            wait_for(after_sweeps(client, 2), 30)
            assert third <= client.owner_usage("user:ann").cpu_seconds < third + 3
            executions = client.owner_usage("user:ann").executions
            assert executions == 2
            assert client.workspace_usage("user:ann", range="1h").points


def test_the_live_view_shows_it_and_a_daemon_that_stands_still_is_noticed() -> None:
    """A change within two sweeps and a second; after SIGSTOP silence is told within three seconds."""
    with real_daemon(sample_every_s=EVERY_S) as daemon, daemon.client() as client, ThreadPoolExecutor(1) as pool:
        output(client, "eve", ECHO, 1)
        with daemon.client() as watcher:
            updates = watcher.fleet()
            snapshot = next(one for one in updates if isinstance(one, FleetSnapshot))
            assert [row.id for row in snapshot.workspaces] == ["user:eve"]
            assert snapshot.host.memory_used_mb < snapshot.host.memory_total_mb
            running = pool.submit(output, client, "eve", GREEDY, {"cpuSeconds": 4}, timeout_ms=110_000)
            seen = next(
                row.resource_usage.cpu_percent
                for one in updates
                if isinstance(one, FleetChanges)
                for row in one.workspaces
                if (row.resource_usage.cpu_percent or 0) > 10
            )
            assert seen is not None
            running.result()
            _stands_still(daemon, watcher)


def _stands_still(daemon: RealDaemon, watcher: Client) -> None:
    updates = watcher.fleet()
    assert next(updates) is not None
    os.kill(daemon.pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        with pytest.raises(AnswerTimeout, match="said nothing"):
            deque(updates, maxlen=0)
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
    assert time.monotonic() - began < 4
