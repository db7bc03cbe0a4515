"""A terminal that goes away."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.tui.terminal import Terminal


@pytest.mark.parametrize(("disposition", "code"), [(signal.SIG_DFL, -signal.SIGHUP), (signal.SIG_IGN, 129)])
def test_it_ends_with_its_terminal(tmp_path: Path, disposition: signal.Handlers, code: int) -> None:
    """Also where that is not its controlling terminal, so that no signal comes from the kernel; and under `nohup`."""
    before = signal.signal(signal.SIGHUP, disposition)
    try:
        terminal = Terminal(["--socket", str(tmp_path / "none.sock"), "tui"], {"HOME": str(tmp_path)})
    finally:
        signal.signal(signal.SIGHUP, before)
    with terminal:
        terminal.until(lambda text: "wsmgr serve" in text)
        assert terminal.hang_up() == code
