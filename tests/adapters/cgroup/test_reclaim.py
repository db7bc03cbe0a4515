"""Memory that is taken back, piece by piece."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.contract.cgroup.rig import MIB
from wsmgr.adapters.cgroup.chain import Chain
from wsmgr.adapters.cgroup.folder import Folder
from wsmgr.adapters.cgroup.reclaim import take_back
from wsmgr.ports.cgroup import GroupGone, GroupRefused


def asked_for(path: Path, *, current: int, gives: int, seconds: float = 5.0) -> list[int]:
    """What is asked of a kernel that takes back `gives` times what it was asked for and then finds no more."""
    asked: list[int] = []

    class Kernel(Folder):
        __slots__ = ()

        def write(self, name: str, value: str) -> None:
            assert name == "memory.reclaim"
            asked.append(int(value))
            if len(asked) > gives:
                raise GroupRefused("Resource temporarily unavailable.")

    (path / "memory.current").write_text(f"{current}\n")
    take_back(Chain([Kernel(path)]), time.monotonic() + seconds)
    return asked


@pytest.mark.parametrize(
    ("current", "gives", "pieces"),
    [(40 * MIB, 9, [16, 16, 8]), (40 * MIB, 1, [16, 16]), (4 * MIB, 0, [4]), (0, 9, [])],
)
def test_it_asks_for_no_more_than_there_is(tmp_path: Path, current: int, gives: int, pieces: list[int]) -> None:
    """And not again once the kernel has found less than it was asked for."""
    assert asked_for(tmp_path, current=current, gives=gives) == [piece * MIB for piece in pieces]


def test_it_ends_in_time(tmp_path: Path) -> None:
    """A group can be larger than what can be taken back by then."""
    assert asked_for(tmp_path, current=40 * MIB, gives=9, seconds=0.0) == []


def test_a_kernel_that_cannot(tmp_path: Path) -> None:
    """Before Linux 5.19 there is no such file, and without the controller no memory is counted."""
    take_back(Chain([Folder(tmp_path)]), time.monotonic() + 5.0)
    (tmp_path / "memory.current").write_text("4096\n")
    take_back(Chain([Folder(tmp_path)]), time.monotonic() + 5.0)
    assert not (tmp_path / "memory.reclaim").exists()


def test_a_group_that_has_gone(tmp_path: Path) -> None:
    """The one thing that is told."""
    with pytest.raises(GroupGone):
        take_back(Chain([Folder(tmp_path / "gone")]), time.monotonic() + 5.0)
