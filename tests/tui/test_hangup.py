"""A terminal that goes away."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.tui.terminal import Terminal


def test_it_ends_with_its_terminal(tmp_path: Path) -> None:
    """Also where that is not its controlling terminal, so that no signal comes from the kernel."""
    with Terminal(["--socket", str(tmp_path / "none.sock"), "tui"], {"HOME": str(tmp_path)}) as terminal:
        terminal.until(lambda text: "wsmgr serve" in text)
        assert terminal.hang_up() == -signal.SIGHUP
