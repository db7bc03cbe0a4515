"""Taking a socket into a folder of one's own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsmgr.adapters.channel.claim import PRIVATE, claim
from wsmgr.ports.channel import ProtocolViolation


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    """A descriptor of the folder in which a runtime binds."""
    opened = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    yield opened
    os.close(opened)


@pytest.fixture
def bound(tmp_path: Path) -> Iterator[socket.socket]:
    """The runtime's socket."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "s"))
        made.listen()
        yield made


def _inode(descriptor: int) -> int:
    try:
        return os.fstat(descriptor).st_ino
    finally:
        os.close(descriptor)


def test_the_socket_is_moved_once(tmp_path: Path, folder: int, bound: socket.socket) -> None:
    """Its old name is gone, its folder is for this user alone, and it is found there again, by a later daemon too."""
    before = (tmp_path / "s").stat().st_ino
    assert _inode(claim(folder, "s")) == before
    assert [entry.name for entry in tmp_path.iterdir()] == [PRIVATE]
    assert (tmp_path / PRIVATE).stat().st_mode & 0o777 == 0o700
    assert _inode(claim(folder, "s")) == before
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(tmp_path / PRIVATE / "s"))
        bound.accept()[0].close()


def test_nothing_there_is_nothing_there(folder: int) -> None:
    """Before the runtime listens, however often one looks."""
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            claim(folder, "s")


def test_what_is_put_in_the_old_place_is_not_looked_at(tmp_path: Path, folder: int, bound: socket.socket) -> None:
    """A plugin's own socket there, or a link."""
    assert bound.fileno() >= 0
    found = _inode(claim(folder, "s"))
    (tmp_path / "s").symlink_to("/elsewhere")
    assert _inode(claim(folder, "s")) == found
    assert (tmp_path / "s").is_symlink()


def test_a_link_is_moved_and_not_followed(tmp_path: Path, folder: int) -> None:
    """Whoever opened it finds a link, not what it leads to."""
    (tmp_path / "target").touch()
    (tmp_path / "s").symlink_to(tmp_path / "target")
    assert _inode(claim(folder, "s")) != (tmp_path / "target").stat().st_ino


@pytest.mark.parametrize("mode", [0o701, 0o720, 0o777])
def test_a_folder_that_others_enter_is_refused(tmp_path: Path, folder: int, bound: socket.socket, mode: int) -> None:
    """It was there first, so nobody knows who has been in it."""
    assert bound.fileno() >= 0
    (tmp_path / PRIVATE).mkdir()
    (tmp_path / PRIVATE).chmod(mode)
    with pytest.raises(ProtocolViolation, match="is not the daemon's own"):
        claim(folder, "s")
    assert (tmp_path / "s").exists()


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path, folder: int, bound: socket.socket) -> None:
    """Nothing is moved through it."""
    assert bound.fileno() >= 0
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / PRIVATE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        claim(folder, "s")
    assert list((tmp_path / "elsewhere").iterdir()) == []
