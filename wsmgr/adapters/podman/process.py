"""What /proc on the host tells of a container's main process. Pids are reused, so each fact is checked for fit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class MainProcess:
    """A live main process. `uid` is the host's uid of it; `start_ticks` since boot, tells two users of a pid apart."""

    pid: int
    uid: int
    start_ticks: int


def start_ticks(pid: int, proc: Path = PROC) -> int | None:
    """When the process started, in clock ticks since boot; None when it is gone or a zombie."""
    try:
        stat = (proc / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The command, in parentheses, may contain anything, also spaces and parentheses.
    fields = stat[stat.rfind(")") + 2 :].split()
    if fields[0] in "ZX":
        return None
    return int(fields[19])


def main_process(pid: int, container_uid: int, proc: Path = PROC) -> MainProcess | None:
    """The process when it lives and runs as the uid that `container_uid` is on the host; None otherwise."""
    ticks = start_ticks(pid, proc)
    if ticks is None:
        return None
    folder = proc / str(pid)
    try:
        expected = host_id(container_uid, (folder / "uid_map").read_text())
        status = status_fields((folder / "status").read_text())
    except OSError:
        return None
    real_uid = int(status["Uid"].split()[0])
    # Another uid: the pid has been given to a process that is not this workspace's.
    return MainProcess(pid, real_uid, ticks) if real_uid == expected else None


def host_id(inside: int, id_map: str) -> int | None:
    """The host's id of an id inside the namespace whose `uid_map` or `gid_map` this is; None when it has none."""
    for line in id_map.splitlines():
        first, host, length = (int(number) for number in line.split())
        if first <= inside < first + length:
            return host + inside - first
    return None


def status_fields(status: str) -> dict[str, str]:
    """/proc/<pid>/status as a mapping."""
    pairs = (line.partition(":") for line in status.splitlines())
    return {key: value.strip() for key, _, value in pairs}
