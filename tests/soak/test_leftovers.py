"""Whatever is planted is found, and named."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.soak.leftovers import Look, Remains


@pytest.fixture
def folder() -> Iterator[Path]:
    """That of a daemon which has ended well. Short, for sockets."""
    with tempfile.TemporaryDirectory(prefix="wsm-") as place:
        folder = Path(place)
        for name in ("state/workers/abc-none", "run"):
            (folder / name).mkdir(parents=True)
        for name in ("state/instance", "state/daemon.lock", "state/wsmgr.db", "run/podman.sock.log", "daemon.log"):
            (folder / name).write_text("a1b2c3d4e5f6")
        yield folder


@contextmanager
def process(folder: Path) -> Iterator[str]:
    """One with the daemon's folder in its command line."""
    running = subprocess.Popen([sys.executable, "-c", "input()", str(folder / "run")], stdin=subprocess.PIPE)
    yield f"A process is left over: {running.pid} "
    running.communicate(b"\n")


@contextmanager
def worker(_: Path) -> Iterator[str]:
    """One with the instance's name."""
    running = subprocess.Popen([sys.executable, "-c", "input()", "wsmgr-bwrap:a1b2c3d4e5f6"], stdin=subprocess.PIPE)
    yield f"A process is left over: {running.pid} "
    running.communicate(b"\n")


@contextmanager
def zombie(_: Path) -> Iterator[str]:
    """A child that nobody waits for."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        pass
    yield f"A process is left over: {pid} "
    os.waitpid(pid, 0)


@contextmanager
def listener(folder: Path) -> Iterator[str]:
    """A socket whose file is gone, and that is still listened on."""
    path = folder / "run" / "api.sock"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
        bound.listen()
        path.unlink()
        yield f"A socket is left over: {path}."


@contextmanager
def file(folder: Path) -> Iterator[str]:
    """A file where none is to be."""
    path = folder / "state" / "workers" / "abc-none" / "api.sock"
    path.write_text("")
    yield f"A file is left over: {path}."
    path.unlink()


@contextmanager
def journal(folder: Path) -> Iterator[str]:
    """What a database that was not closed has beside it."""
    path = folder / "state" / "wsmgr.db-wal"
    path.write_text("")
    yield f"A file is left over: {path}."
    path.unlink()


@contextmanager
def temporary(_: Path) -> Iterator[str]:
    """Something in the folder for temporary files."""
    with tempfile.NamedTemporaryFile(prefix="planted-") as planted:
        yield f"A file is left over: {planted.name}."


@contextmanager
def lock(folder: Path) -> Iterator[str]:
    """A lock that somebody holds."""
    path = folder / "state" / "daemon.lock"
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield f"A lock is left over: {path}."


PLANTED: list[Callable[[Path], AbstractContextManager[str]]] = [
    process, worker, zombie, listener, file, journal, temporary, lock,
]  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found(folder: Path, planted: Callable[[Path], AbstractContextManager[str]]) -> None:
    """And not any more when it is gone."""
    look = Look(folder)
    before = look.remains()
    with planted(folder) as expected:
        found = look.remains().beyond(before)
        assert [sentence for sentence in found if sentence.startswith(expected)], (expected, found)
    assert not [sentence for sentence in look.remains().beyond(before) if sentence.startswith(expected)]


def test_an_orderly_end_leaves_nothing(folder: Path) -> None:
    """What stays by intent is not counted, even against a look at nothing."""
    assert [one for one in Look(folder).remains().beyond(Remains()) if f"{folder}/" in one] == []


def test_containers_by_name_and_state() -> None:
    """One sentence each."""
    left = Remains(containers=frozenset({"abc wsmgr-user-a (running)", "def wsmgr-user-b (created)"}))
    assert left.beyond(Remains(containers=frozenset({"abc wsmgr-user-a (running)"}))) == [
        "A container is left over: def wsmgr-user-b (created)."
    ]
