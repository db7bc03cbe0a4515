"""Something to be done once, after a while: only the end of the runtime needs it."""

from __future__ import annotations

import signal
from collections.abc import Callable

from workspace_runtime.loop import Loop


class Timer:
    """SIGALRM, so that the loop has no clock of its own to look at. The last `after` counts."""

    def __init__(self, loop: Loop) -> None:
        self._due: Callable[[], None] = lambda: None
        loop.on_signal(signal.SIGALRM, self._ring)

    def after(self, seconds: float, due: Callable[[], None]) -> None:
        """Call `due` once."""
        self._due = due
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def _ring(self) -> None:
        self._due()
