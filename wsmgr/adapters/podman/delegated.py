"""Whether systemd has delegated the controller of tasks to the daemon's user, whose groups containers are in."""

from __future__ import annotations

import os
from pathlib import Path

from wsmgr.adapters.podman.groups import CGROUPS, read_value


def pids_are_delegated(cgroups: Path = CGROUPS) -> bool:
    """True where a container's group can hold its number of tasks: pure cgroups v2, and `pids` in the hands of the
    user's own systemd. (podman reads the same file for what its `info` calls cgroupControllers.)"""
    uid = os.geteuid()
    file = cgroups / "user.slice" / f"user-{uid}.slice" / f"user@{uid}.service" / "cgroup.controllers"
    return "pids" in (read_value(file) or "").split()
