"""Turns: at most so many calls of a workspace at once, the others first come, first served."""

from __future__ import annotations

import asyncio
from collections import deque

from wsmgr.core.errors import NeverStarted


class Turns:
    """A bounded-by-its-caller FIFO semaphore whose size can change. A free turn costs no await."""

    def __init__(self) -> None:
        self.running = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    @property
    def queued(self) -> int:
        """How many wait."""
        return len(self._queue)

    async def take(self, size: int, timeout_s: float, whose: str = "workspace") -> None:
        """Wait for a turn among `size`. Raises NeverStarted after `timeout_s` seconds; its sentence says `whose`."""
        if self.running < size and not self._queue:
            self.running += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(timeout_s):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self.give_back(size)
            elif turn in self._queue:
                self._queue.remove(turn)
            if isinstance(error, TimeoutError):
                raise NeverStarted(
                    f"The call waited {timeout_s:.0f} s for its turn behind other calls of this {whose}.",
                    details={"why": "queue_timeout"},
                    retry_after=1.0,
                ) from None
            raise

    def give_back(self, size: int) -> None:
        """End a turn; the longest waiting call gets it. A workspace whose plan shrank lets turns lapse."""
        self.running -= 1
        while self._queue and self.running < size:
            turn = self._queue.popleft()
            if not turn.done():
                self.running += 1
                turn.set_result(None)
