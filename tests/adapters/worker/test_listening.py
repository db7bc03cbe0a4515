"""Sockets that are handed into sandboxes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from wsmgr.adapters.worker.listening import Listening, empty_folder
from wsmgr.core.errors import EngineFailure


def test_it_listens_under_any_length_of_path(tmp_path: Path) -> None:
    """More than the 107 bytes that an address holds; and the address that a holder reads names no folder."""
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    made = Listening.at(folder / "one.sock")
    assert (folder / "one.sock").is_socket()
    assert "long" not in made.sock.getsockname()
    assert made.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
    made.close()
    made.tidy()
    made.tidy()
    assert list(folder.iterdir()) == []


def test_what_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A folder that is not there, and a name that is taken."""
    with pytest.raises(EngineFailure, match="No such file"):
        Listening.at(tmp_path / "nowhere" / "one.sock")
    (tmp_path / "taken").touch()
    with pytest.raises(EngineFailure, match="Address already in use"):
        Listening.at(tmp_path / "taken")
    with pytest.raises(EngineFailure, match="cannot be made"):
        empty_folder(tmp_path / "taken" / "below")


def test_a_folder_is_emptied_of_what_an_earlier_daemon_left(tmp_path: Path) -> None:
    """And is for its user alone."""
    folder = tmp_path / "state" / "sockets"
    empty_folder(folder)
    (folder / "old.sock").touch()
    empty_folder(folder)
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700
