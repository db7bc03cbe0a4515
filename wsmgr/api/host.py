"""Figures of the host, as the last sweep found them."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from wsmgr import __version__
from wsmgr.control.daemon import Daemon
from wsmgr.control.entry import Entry
from wsmgr.core.limits import MIB
from wsmgr.core.usage import Current
from wsmgr.core.workspace import Phase
from wsmgr.wire.fleet import FleetHost
from wsmgr.wire.host import Host

CGROUP_ROOT = Path("/sys/fs/cgroup")


@dataclass(slots=True)
class Counts:
    """What all workspaces add up to."""

    workspaces: int = 0
    running: int = 0
    executions: float = 0.0
    errors: float = 0.0

    def add(self, entry: Entry, current: Current) -> None:
        """One more."""
        self.workspaces += 1
        self.running += entry.serving.phase is Phase.RUNNING
        self.executions += current.executions_per_min or 0.0
        self.errors += current.errors_per_min or 0.0


def figures(daemon: Daemon) -> Host:
    """What kind of host it is, and what is used of it."""
    system, use = os.uname(), daemon.usage.host
    versions = daemon.engines[daemon.isolation].versions
    return Host(
        hostname=system.nodename,
        kernel=system.release,
        cpus=os.cpu_count() or 1,
        memory_mb=use.memory_total_bytes // MIB,
        memory_available_mb=(use.memory_total_bytes - use.memory_used_bytes) // MIB,
        load_average=list(use.load_average),
        cpu_percent=use.cpu_percent,
        disk_free_mb=_free_mb(use.disk_used_bytes, use.disk_total_bytes),
        cgroups="v2" if (CGROUP_ROOT / "cgroup.controllers").exists() else "v1",
        engine=daemon.isolation.value,
        engine_version=None if versions is None else versions.engine,
        oci_runtime=None if versions is None else versions.runtime,
        workspaces=dict(Counter(entry.serving.phase.value for entry in daemon.fleet)),
    )


def line(daemon: Daemon, counts: Counts) -> FleetHost:
    """The host and the daemon in a line."""
    use, budget_mb = daemon.usage.host, daemon.capacity.budget_mb
    return FleetHost(
        at=daemon.clock.now(),
        daemon_version=__version__,
        cpu_percent=None if use.cpu_percent is None else round(use.cpu_percent, 1),
        memory_used_mb=use.memory_used_bytes // MIB,
        memory_total_mb=use.memory_total_bytes // MIB,
        memory_budget_mb=None if budget_mb is None else int(budget_mb),
        memory_held_mb=daemon.capacity.held_mb(),
        disk_used_bytes=use.disk_used_bytes,
        disk_total_bytes=use.disk_total_bytes,
        load_average=list(use.load_average),
        engine_away=daemon.engines.away(daemon.isolation),
        limits_not_enforced=daemon.capabilities.gaps(daemon.isolation),
        open_alerts=daemon.alerts.open_count,
        workspaces=counts.workspaces,
        running=counts.running,
        executions_per_min=counts.executions,
        errors_per_min=counts.errors,
    )


def _free_mb(used: int | None, total: int | None) -> int | None:
    return None if used is None or total is None else (total - used) // MIB
