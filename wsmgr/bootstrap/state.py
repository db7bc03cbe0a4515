"""The state directory: one daemon at a time, and a name for what belongs to it."""

from __future__ import annotations

import fcntl
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from wsmgr.core.errors import Conflict, InvalidRequest


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds the lock, as it wrote itself down. `started` is its start time in clock ticks."""

    pid: int
    started: str

    def alive(self) -> bool:
        """Whether that very process still runs (pids are reused, start times are not)."""
        return started_of(self.pid) == self.started


class StateLock:
    """An exclusive lock on a state directory, freed by the kernel when its holder dies."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "daemon.lock"
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take it. Raises Conflict, naming the holder."""
        prepare(self._path.parent)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            holder = holder_of(self._path.parent)
            who = f"process {holder.pid}" if holder else "another process"
            raise Conflict(f"A daemon runs already: {who} holds {self._path}.") from None
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()} {started_of(os.getpid())}\n".encode())
        self._fd = fd

    def release(self) -> None:
        """Let go. Idempotent."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None


def prepare(state_dir: Path) -> None:
    """Make the directory, for this user alone. Raises InvalidRequest when it cannot be used."""
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidRequest(f"The state directory {state_dir} cannot be made: {error.strerror}.") from None
    if state_dir.stat().st_uid != os.getuid():
        raise InvalidRequest(
            f"The state directory {state_dir} belongs to uid {state_dir.stat().st_uid}, and this is uid {os.getuid()}. "
            "Run wsmgr as the user that it was set up for."
        )


def holder_of(state_dir: Path) -> Holder | None:
    """The living process that holds the lock of a state directory, if any."""
    try:
        pid, started = (state_dir / "daemon.lock").read_text().split()
        holder = Holder(int(pid), started)
    except (OSError, ValueError):
        return None
    return holder if holder.alive() else None


def instance_of(state_dir: Path) -> str:
    """A name for all that this state directory's daemons make; made once, kept in a file."""
    prepare(state_dir)
    path = state_dir / "instance"
    try:
        with path.open("x") as file:
            file.write(uuid.uuid4().hex[:12])
    except FileExistsError:
        pass
    return path.read_text().strip()


def started_of(pid: int) -> str | None:
    """A process' start time in clock ticks since boot (field 22 of proc(5)'s stat); None when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()[19]
