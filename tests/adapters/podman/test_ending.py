"""What a runtime's last words tell of its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsmgr.adapters.podman.ending import explained
from wsmgr.core.workspace import Exited

V8 = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"
OURS = '{"msg":"out of memory","error":"A plugin that was stopped does not end."}'


def log_of(folder: Path, *texts: str) -> Path:
    """A log file as podman writes it."""
    log = folder / "ctr.log"
    log.write_text("".join(f"2026-11-26T12:00:00.000000000+00:00 stderr F {text}\n" for text in texts))
    return log


@pytest.mark.parametrize(("code", "words"), [(134, V8), (133, "# Fatal process out of memory: Zone"), (137, OURS)])
async def test_a_runtime_that_says_so_ran_out_of_memory(tmp_path: Path, code: int, words: str) -> None:
    """V8's aborts and the runtime's own end, with a stack behind the words or without."""
    log = log_of(tmp_path, "listening", words, *["    frame"] * 20)
    assert await explained(Exited("c", "d", code, oom_killed=False), log) == Exited("c", "d", code, oom_killed=True)


@pytest.mark.parametrize(
    ("code", "words"),
    [(137, "listening"), (134, "assertion failed"), (0, OURS), (1, OURS), (143, OURS)],
)
async def test_other_ends_are_left_as_they_are(tmp_path: Path, code: int, words: str) -> None:
    """A kill from outside, another abort, and ends that want of memory does not cause."""
    exited = Exited("c", "d", code, oom_killed=False)
    assert await explained(exited, log_of(tmp_path, words)) == exited


async def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    """It tells nothing; a folder in its place does not either."""
    exited = Exited("c", "d", 137, oom_killed=False)
    for log in (None, tmp_path / "nothing", tmp_path):
        assert await explained(exited, log) == exited
