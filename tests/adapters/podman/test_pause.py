"""A podman that has lost its pause process, played by a program of a few lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsmgr.adapters.podman.pause import PauseProcess
from wsmgr.adapters.podman.program import Program
from wsmgr.core.errors import EngineUnavailable

STALE = (
    'level=error msg="invalid internal status, try resetting the pause process with \\"podman system migrate\\": '
    'could not find any running process: no such process"'
)
"""As podman 4.3.1 writes it."""


def _podman(folder: Path, *, lost: bool, says: str = STALE, migrate: int = 0) -> Program:
    """A podman that fails until it was reset, and keeps a list of what it was asked."""
    if lost:
        (folder / "lost").touch()
    (folder / "says").write_text(says)
    program = folder / "podman"
    program.write_text(
        f"""#!/bin/sh
echo "$*" >> {folder}/asked
if [ "$*" = "system migrate" ]; then [ {migrate} = 0 ] && rm -f {folder}/lost; exit {migrate}; fi
[ ! -e {folder}/lost ] || {{ cat {folder}/says >&2; exit 1; }}
"""
    )
    program.chmod(0o755)
    return Program(str(program))


def _asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text().splitlines()


async def test_a_lost_pause_process_is_reset(tmp_path: Path) -> None:
    """Podman's own advice is followed, and podman works again."""
    pause = PauseProcess(_podman(tmp_path, lost=True))
    assert await pause.mend()
    assert _asked(tmp_path) == ["unshare true", "system migrate", "unshare true"]
    assert not await pause.mend()


async def test_a_podman_that_works_is_left_alone(tmp_path: Path) -> None:
    """A reset stops what runs, so that it is made only when podman asks for it."""
    assert not await PauseProcess(_podman(tmp_path, lost=False)).mend()
    assert _asked(tmp_path) == ["unshare true"]


async def test_another_trouble_is_no_reason_to_reset(tmp_path: Path) -> None:
    """What podman says of other troubles does not lead to a reset."""
    assert not await PauseProcess(_podman(tmp_path, lost=True, says="cannot find UID/GID for user")).mend()
    assert _asked(tmp_path) == ["unshare true"]


async def test_a_reset_that_fails_is_told(tmp_path: Path) -> None:
    """The sentence names the command that failed."""
    with pytest.raises(EngineUnavailable, match="podman system migrate"):
        await PauseProcess(_podman(tmp_path, lost=True, migrate=1)).mend()


async def test_a_missing_program_is_left_for_others_to_tell(tmp_path: Path) -> None:
    """The command that needs podman names what is missing."""
    assert not await PauseProcess(Program(str(tmp_path / "none"))).mend()
