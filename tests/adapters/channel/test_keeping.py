"""A key is found again, or it is certain that there is none."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from wsmgr.adapters.channel.keeping import NO_KEY, keep_key, key_in
from wsmgr.ports.channel import ProtocolViolation

KEY = bytes(range(32))


@pytest.fixture
def private(tmp_path: Path) -> Iterator[int]:
    """The daemon's folder."""
    opened = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    yield opened
    os.close(opened)


def test_it_is_kept_as_it_is(tmp_path: Path, private: int) -> None:
    """Whole, and this user's alone."""
    assert key_in(private) is None
    keep_key(private, KEY)
    assert key_in(private) == KEY
    assert [entry.name for entry in tmp_path.iterdir()] == ["key"]
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_one_that_takes_none_is_remembered(private: int) -> None:
    """That is another thing than not to know."""
    keep_key(private, NO_KEY)
    assert key_in(private) == NO_KEY


def test_a_draft_that_was_cut_short_is_no_key(tmp_path: Path, private: int) -> None:
    """A daemon that died while it wrote."""
    (tmp_path / "key.new").write_bytes(b"half")
    assert key_in(private) is None
    keep_key(private, KEY)
    assert key_in(private) == KEY


@pytest.mark.parametrize("content", [b"short", b"x" * 33])
def test_what_is_no_key_is_refused(tmp_path: Path, private: int, content: bytes) -> None:
    """Rather than sent or used."""
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(ProtocolViolation):
        key_in(private)


def test_a_link_is_not_followed(tmp_path: Path, private: int) -> None:
    """Nobody else can put one there; it is held all the same."""
    (tmp_path / "key").symlink_to("/etc/hostname")
    with pytest.raises(OSError, match="symbolic"):
        key_in(private)
