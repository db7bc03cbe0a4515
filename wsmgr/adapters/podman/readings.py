"""What the host's own files say about a running probe container."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wsmgr.adapters.podman.groups import CGROUPS, own_groups, read_value
from wsmgr.adapters.podman.process import PROC, status_fields

_LIMIT_FILES = ("memory.max", "memory.swap.max", "cpu.max", "pids.max")


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo: `root` is the path within its file system, `settings` are the file system's options."""

    root: str
    target: str
    kind: str
    options: frozenset[str]
    settings: frozenset[str]


@dataclass(frozen=True, slots=True)
class Readings:
    """`cgroup_files` are the limits found behind /proc/<pid>/cgroup on a pure v2 host, empty elsewhere.

    `scratch_bytes` is the size of /tmp as seen through /proc/<pid>/root, None when that is out of reach, and then
    `channel_error` says why. `log_max` is the cap that the container's monitor was started with.
    """

    uid: int
    uid_map: str
    status: Mapping[str, str]
    interfaces: tuple[str, ...]
    mounts: tuple[Mount, ...]
    nproc: str
    cgroup_files: Mapping[str, str]
    scratch_bytes: int | None
    channel_error: str | None
    log_max: str | None


def read_process(pid: int, handle: str, monitor: int, proc: Path = PROC, cgroups: Path = CGROUPS) -> Readings:
    """Read everything about the container's main process. Raises OSError when it is gone."""
    folder = proc / str(pid)
    status = status_fields((folder / "status").read_text())
    scratch, error = _scratch(folder)
    return Readings(
        uid=int(status["Uid"].split()[0]),
        uid_map=" ".join((folder / "uid_map").read_text().split()),
        status=status,
        interfaces=_interfaces((folder / "net/dev").read_text()),
        mounts=parse_mounts((folder / "mountinfo").read_text()),
        nproc=_nproc((folder / "limits").read_text()),
        cgroup_files=_cgroup_files(own_groups(pid, handle, proc, cgroups)),
        scratch_bytes=scratch,
        channel_error=error,
        log_max=_log_max(proc / str(monitor) / "cmdline"),
    )


def parse_mounts(mountinfo: str) -> tuple[Mount, ...]:
    """Parse /proc/<pid>/mountinfo."""
    return tuple(_mount(line) for line in mountinfo.splitlines())


def _mount(line: str) -> Mount:
    front, _, back = line.partition(" - ")
    _, _, _, root, target, options, *_ = front.split()
    kind, _, settings = back.split(" ", 2)
    return Mount(root, target, kind, frozenset(options.split(",")), frozenset(settings.split(",")))


def _interfaces(net_dev: str) -> tuple[str, ...]:
    return tuple(line.partition(":")[0].strip() for line in net_dev.splitlines()[2:])


def _nproc(limits: str) -> str:
    line = next((line for line in limits.splitlines() if line.startswith("Max processes")), "")
    fields = line.split()
    return fields[3] if len(fields) > 3 else "unknown"


def _scratch(folder: Path) -> tuple[int | None, str | None]:
    # As the channel does, which keeps the runtime's socket in a folder of the daemon's own.
    own = folder / "root/run/wsmgr/probe"
    try:
        own.mkdir(mode=0o700)
        own.rmdir()
        size = os.statvfs(folder / "root/tmp")
    except OSError as error:
        return None, str(error)
    return size.f_blocks * size.f_frsize, None


def _cgroup_files(groups: Sequence[Path]) -> dict[str, str]:
    """The limits: podman sets them on the process's own group, or on one above it that bears the container's id."""
    found: dict[str, str] = {}
    for group in reversed(groups):
        for name in _LIMIT_FILES:
            value = read_value(group / name)
            if value is not None and found.get(name, "max").startswith("max"):
                found[name] = value
    return found


def _log_max(cmdline: Path) -> str | None:
    try:
        words = cmdline.read_bytes().split(b"\0")
    except OSError:
        return None
    at = words.index(b"--log-size-max") if b"--log-size-max" in words else -1
    return words[at + 1].decode() if 0 <= at < len(words) - 1 else None
