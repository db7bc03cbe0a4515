"""Facts from /proc, from files in its format."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsmgr.adapters.podman.process import MainProcess, host_id, main_process, start_ticks

MAP = "         0        999          1\n         1     200000      65536\n"


def _process(proc: Path, *, state: str = "S", uid: int = 210_006, name: str = "cat) S (x") -> None:
    folder = proc / "42"
    folder.mkdir()
    fields = " ".join(["1", "42", "42", "0", "-1", *["0"] * 13, "9001", *["0"] * 5])
    (folder / "stat").write_text(f"42 ({name}) {state} {fields}\n")
    (folder / "uid_map").write_text(MAP)
    (folder / "status").write_text(f"Name:\tx\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")


def test_a_live_main_process(tmp_path: Path) -> None:
    """Pid, host uid and start time, also when the program's name tries to look like fields."""
    _process(tmp_path)
    assert main_process(42, 10_007, tmp_path) == MainProcess(42, 210_006, 9001)


@pytest.mark.parametrize("state", ["Z", "X"])
def test_the_dead_are_gone(tmp_path: Path, state: str) -> None:
    """A zombie has ended."""
    _process(tmp_path, state=state)
    assert start_ticks(42, tmp_path) is None
    assert main_process(42, 10_007, tmp_path) is None


def test_a_pid_that_is_anothers_by_now(tmp_path: Path) -> None:
    """A process of another uid is not the workspace's."""
    _process(tmp_path, uid=999)
    assert main_process(42, 10_007, tmp_path) is None


def test_no_such_process(tmp_path: Path) -> None:
    """Nothing there is None, not an error."""
    assert main_process(43, 10_007, tmp_path) is None


@pytest.mark.parametrize(("inside", "outside"), [(0, 999), (1, 200_000), (10_007, 210_006), (65_536, 265_535)])
def test_mapped_ids(inside: int, outside: int) -> None:
    """The map's ranges are half open."""
    assert host_id(inside, MAP) == outside


@pytest.mark.parametrize("inside", [65_537, -1])
def test_unmapped_ids(inside: int) -> None:
    """An id outside of every range has no counterpart."""
    assert host_id(inside, MAP) is None
