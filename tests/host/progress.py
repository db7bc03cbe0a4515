"""Lines for whoever waits: building and booting a host takes minutes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

Say = Callable[[str], None]

_BEGUN = time.monotonic()


def to_screen(text: str) -> None:
    """One line, at once, with the time since the start."""
    sys.stderr.write(f"[{time.monotonic() - _BEGUN:5.0f} s] {text}\n")
    sys.stderr.flush()
