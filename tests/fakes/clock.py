"""Virtual time: an event loop whose clock jumps to the next deadline whenever nothing else is to be done."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 1, 1, tzinfo=UTC)
REAL_WAIT_S = 0.02
"""How long the loop really waits when it has no deadline of its own and something outside (a thread) may wake it."""


THREADS_S = 5.0
"""How long the clock really stands still while threads work for the loop: else a busy host would make them late."""


class _Selector(selectors.DefaultSelector):
    """Never waits for a deadline: it moves the loop's clock there instead, unless a thread works for the loop."""

    skipped = 0.0
    stood = 0.0
    working = 0
    patient_until = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            return super().select(REAL_WAIT_S)
        if self.working and time.monotonic() < self.patient_until:
            before = time.monotonic()
            ready = super().select(REAL_WAIT_S)
            self.stood += time.monotonic() - before
            return ready
        self.skipped += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Sleeps and timeouts of any length pass at once, in the right order."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Seconds of virtual time."""
        return super().time() + self._virtual.skipped - self._virtual.stood

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # the base class is generic in what the function gives
        """As any loop does; the clock stands still meanwhile."""
        future = super().run_in_executor(executor, func, *args)
        self._virtual.working += 1
        self._virtual.patient_until = time.monotonic() + THREADS_S
        future.add_done_callback(self._done)
        return future

    def _done(self, _: asyncio.Future[Any]) -> None:
        self._virtual.working -= 1


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
