"""What a daemon may leave behind when it has ended: nothing that runs, listens, waits or is locked."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from wsmgr.adapters.podman import names

KEPT = (
    "state", "state/instance", "state/daemon.lock", "state/wsmgr.db", "state/secrets.keys", "state/seccomp.json",
    "state/workers", "run",
    "run/podman.sock.log", "run/podman.sock.lock", "daemon.log", "faults.log",
)  # fmt: skip
"""What is there after an orderly end, below the folder of the daemon; so are empty folders of workers."""
PAUSE = ("catatonit", "-P")
"""Podman's own process that holds the user namespace; it is meant to stay."""
PODMAN_S = 60


@dataclass(frozen=True, slots=True)
class Remains:
    """Everything of the daemon's user that might be left over. Taken before a soak as well: that is not its fault."""

    containers: frozenset[str] = frozenset()
    processes: frozenset[str] = frozenset()
    sockets: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    locks: frozenset[str] = frozenset()

    def beyond(self, before: Remains) -> list[str]:
        """One sentence for each thing that was not there before."""
        kinds = {
            "container": self.containers - before.containers,
            "process": self.processes - before.processes,
            "socket": self.sockets - before.sockets,
            "file": self.files - before.files,
            "lock": self.locks - before.locks,
        }
        return [f"A {kind} is left over: {one}." for kind, found in kinds.items() for one in sorted(found)]


@dataclass(frozen=True, slots=True)
class Look:
    """Where to look: the daemon's `folder`, podman's own places (without them no container is looked for), and the uids
    on the host that containers have."""

    folder: Path
    podman: tuple[Path, ...] = ()
    uids: range = range(0)

    def remains(self) -> Remains:
        """All of it, now."""
        return Remains(
            containers=frozenset(containers()) if self.podman else frozenset(),
            processes=frozenset(processes(self._marks(), self.uids)),
            sockets=frozenset(sockets(self.folder)),
            files=frozenset((*files(self.folder), *podman_files(self.podman), *temporary())),
            locks=frozenset(locks(self.folder)),
        )

    def _marks(self) -> tuple[str, ...]:
        """What the command line of a process of this daemon has in it."""
        with suppress(FileNotFoundError):
            return (str(self.folder), (self.folder / "state" / "instance").read_text().strip())
        return (str(self.folder),)


def podman_places() -> tuple[Path, ...]:
    """Folders in which podman has one entry for each container, running or made.

    Not its `exits`: a container that is removed at the moment of its end leaves an empty file there, whoever did it.
    """
    done = _podman("info", "--format", "{{.Store.GraphRoot}} {{.Store.RunRoot}}")
    graph, run = (Path(word) for word in done.split())
    runtime = Path(os.environ["XDG_RUNTIME_DIR"])
    return (
        graph / "overlay-containers", graph / "overlay-layers", graph / "tmp", run / "overlay-containers",
        runtime / "runc", runtime / "crun",
    )  # fmt: skip


def containers() -> Iterator[str]:
    """Containers with wsmgr's labels or names, also those of which only the storage is there."""
    for row in json.loads(_podman("ps", "--all", "--external", "--format", "json") or "[]"):
        labels = row.get("Labels") or {}
        named = [name for name in row.get("Names") or [] if name.startswith("wsmgr-")]
        if named or names.INSTANCE in labels or names.PROBE in labels:
            yield f"{row['Id'][:12]} {' '.join(named)} ({row.get('State')})"


def processes(marks: tuple[str, ...], uids: range) -> Iterator[str]:
    """Processes of this user's containers (by their uids), with one of `marks` in their command line, or that ended and
    for which this one has not waited."""
    me = psutil.Process()
    own = {process.pid for process in (me, *me.parents())}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid in own:
                continue
            uid, ended = process.uids().real, process.status() == psutil.STATUS_ZOMBIE
            words = [] if ended else process.cmdline()
            zombie = ended and process.ppid() == me.pid
            line = f"{process.pid} {' '.join(words)[:200] or process.name()}{' (a zombie)' if ended else ''}"
            if tuple(words[:2]) == PAUSE or (uid != os.getuid() and uid not in uids):
                continue
            monitor = process.name() == "conmon" and any(word.startswith("wsmgr-") for word in words)
            if uid in uids or zombie or monitor or any(mark in word for word in words for mark in marks):
                yield line


def sockets(folder: Path) -> Iterator[str]:
    """Unix sockets that are bound below the folder, whether their file is there or not."""
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        path = line.split()[-1]
        if path.startswith(f"{folder}/"):
            yield path


def files(folder: Path) -> Iterator[str]:
    """What is below the folder and not of the kind that stays."""
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        emptied = name.startswith("state/workers/") and path.is_dir() and not any(path.iterdir())
        if name not in KEPT and not emptied:
            yield str(path)


def podman_files(places: tuple[Path, ...]) -> Iterator[str]:
    """What podman keeps for each container, in places that have nothing else that comes and goes."""
    for place in places:
        if place.is_dir():
            entries = (path.name for path in place.iterdir())
            # A service that is killed in the middle of a write leaves its draft, which nobody ever cleans up.
            yield from (
                f"{place}/{name}" for name in entries if not name.endswith((".lock", ".json")) and name[0] != "."
            )


def temporary() -> Iterator[str]:
    """What this user has in the folders for temporary files."""
    for folder in {Path(tempfile.gettempdir()), Path("/var/tmp"), Path("/dev/shm")}:
        for path in folder.iterdir():
            with suppress(OSError):
                if path.lstat().st_uid == os.getuid():
                    yield str(path)


def locks(folder: Path) -> Iterator[str]:
    """Lock files below the folder that somebody holds."""
    for path in folder.rglob("*.lock"):
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield str(path)


def subordinate_uids() -> range:
    """The uids on the host that this user's containers have."""
    done = _podman("unshare", "cat", "/proc/self/uid_map")
    spans = [[int(number) for number in line.split()] for line in done.splitlines()]
    return next((range(host, host + count) for inside, host, count in spans if inside > 0), range(0))


def _podman(*arguments: str) -> str:
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True, timeout=PODMAN_S, check=True)
    return done.stdout.strip()
