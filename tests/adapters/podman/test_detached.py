"""Processes that outlive the daemon."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from wsmgr.adapters.podman.detached import recall, remember, spawn

SLEEP = "/bin/sleep"


def _program(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")


def _folder(pid: int) -> Path:
    return Path(f"/proc/{pid}/cwd").readlink()


async def test_it_runs_in_the_root_folder_and_can_be_found_again(tmp_path: Path) -> None:
    """Not where the daemon was started: that folder may go. What was written down is that very process."""
    process = spawn([SLEEP, "60"], {"LANG": "C"}, tmp_path / "log")
    try:
        while _program(process.pid)[0] != SLEEP:
            assert not await process.ended(0.05)
        assert _program(process.pid) == [SLEEP, "60"]
        assert _folder(process.pid) == Path("/")
        assert os.getsid(process.pid) == process.pid
        remember(process, tmp_path / "pid")
        assert recall(tmp_path / "pid") == process
    finally:
        process.signal(signal.SIGKILL)
    assert await process.ended(20)


def test_what_is_no_program(tmp_path: Path) -> None:
    """It is said at once."""
    with pytest.raises(OSError, match="is no program"):
        spawn([str(tmp_path / "nothing")], {}, tmp_path / "log")
