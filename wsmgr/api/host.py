"""Figures of the host, read when they are asked for."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import psutil

from wsmgr.control.daemon import Daemon
from wsmgr.wire.host import Host

MIB = 1024 * 1024
CGROUP_ROOT = Path("/sys/fs/cgroup")


def figures(daemon: Daemon) -> Host:
    """One look. `cpu_percent` is null at the first one: it is counted between two."""
    system, memory = os.uname(), psutil.virtual_memory()
    return Host(
        hostname=system.nodename,
        kernel=system.release,
        cpus=os.cpu_count() or 1,
        memory_mb=memory.total // MIB,
        memory_available_mb=memory.available // MIB,
        load_average=list(os.getloadavg()),
        cpu_percent=psutil.cpu_percent(interval=None) or None,
        disk_free_mb=psutil.disk_usage("/").free // MIB,
        cgroups="v2" if (CGROUP_ROOT / "cgroup.controllers").exists() else "v1",
        engine=daemon.isolation.value,
        workspaces=dict(Counter(entry.serving.phase.value for entry in daemon.fleet)),
    )
