"""From a running instance to its control group, or to none whenever something is in doubt."""

from __future__ import annotations

import os
from pathlib import Path

from wsmgr.adapters.cgroup.chain import chain_of, topmost
from wsmgr.core.workspace import Running
from wsmgr.ports.cgroup import Group

_PROC_BYTES = 64 * 1024


def find(running: Running, proc: Path, cgroups: Path) -> Group | None:
    """The group of the instance's main process, when it is its own and writable."""
    try:
        if not (cgroups / "cgroup.controllers").is_file():
            return None  # cgroup v1, alone or beside an empty second version
        path = _membership(running, proc)
        if path is None or topmost(path, running.handle) is None:
            return None
        group = Group(path, running.handle)
        return group if _is_ours(group, cgroups) else None
    except (OSError, ValueError, IndexError):
        return None


def _membership(running: Running, proc: Path) -> str | None:
    """The process' path in the second version's tree; None when the pid is another process' by now."""
    handle, _, ticks = running.endpoint.instance.rpartition("@")
    # What is read through this descriptor is of one and the same process, or fails: pids are reused.
    folder = os.open(proc / str(running.endpoint.pid), os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if handle != running.handle or _start_ticks(_read(folder, "stat")) != ticks:
            return None
        if _real_uid(_read(folder, "status")) != running.endpoint.uid:
            return None
        lines = _read(folder, "cgroup").splitlines()
    finally:
        os.close(folder)
    return next((line[3:] for line in lines if line.startswith("0::")), None)


def _read(folder: int, name: str) -> str:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        return os.read(descriptor, _PROC_BYTES).decode("utf-8", "replace")
    finally:
        os.close(descriptor)


def _start_ticks(stat: str) -> str | None:
    """When it started, in clock ticks since boot; None of a zombie."""
    # The command, in parentheses, may contain anything, also spaces and parentheses.
    fields = stat[stat.rfind(")") + 2 :].split()
    return None if fields[0] in "ZX" else fields[19]


def _real_uid(status: str) -> int | None:
    line = next((line for line in status.splitlines() if line.startswith("Uid:")), "")
    return int(line.split()[1]) if line else None


def _is_ours(group: Group, cgroups: Path) -> bool:
    chain = chain_of(group, cgroups)
    # Neither a link nor another mount may lead elsewhere; and a freeze of a part would not stop all of it.
    if chain.own.path.resolve(strict=True) != cgroups.resolve() / group.path[1:]:
        return False
    mount = cgroups.stat().st_dev
    return all(
        folder.path.stat().st_dev == mount
        and os.access(folder.path / "cgroup.freeze", os.R_OK | os.W_OK, effective_ids=True)
        for folder in chain.folders
    )
