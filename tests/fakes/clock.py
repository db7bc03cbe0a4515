"""Virtual time: an event loop whose clock jumps to the next deadline whenever nothing else is to be done."""

from __future__ import annotations

import asyncio
import selectors
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)
REAL_WAIT_S = 0.02
"""How long the loop really waits when it has no deadline of its own and something outside (a thread) may wake it."""


class _Selector(selectors.DefaultSelector):
    """Never waits for a deadline: it moves the loop's clock there instead."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            return super().select(REAL_WAIT_S)
        self.skipped += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Sleeps and timeouts of any length pass at once, in the right order."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Seconds of virtual time."""
        return super().time() + self._virtual.skipped


class ExactLoop(VirtualLoop):
    """Nothing takes any time but what waits for it: the same program sees the same times to the last digit."""

    def time(self) -> float:
        """Seconds that were waited for."""
        return self._virtual.skipped


class LoopClock:
    """Implements ports.clock.Clock on the running loop's time, virtual or not."""

    def now(self) -> datetime:
        """A fixed day plus the loop's seconds."""
        return START + timedelta(seconds=asyncio.get_running_loop().time())

    def monotonic(self) -> float:
        """The loop's time."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """The loop's sleep."""
        await asyncio.sleep(seconds)
