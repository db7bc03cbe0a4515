"""A receiver of notices in memory, that fails or hangs when it is told to."""

from __future__ import annotations

import asyncio

from wsmgr.core.alert import Notice
from wsmgr.ports.notifier import NotDelivered


class FakeNotifier:
    """`delivered` is what it took, `tried` the loop's time of every try. `down` makes it refuse, `slow_s` take so long
    (and refuse then), `refuses` refuse the notices of one cause."""

    def __init__(self) -> None:
        self.delivered: list[Notice] = []
        self.tried: list[float] = []
        self.down = False
        self.slow_s: float | None = None
        self.refuses: str | None = None
        self.closed = False

    async def deliver(self, notice: Notice) -> None:
        """Take it, or not."""
        self.tried.append(asyncio.get_running_loop().time())
        if self.slow_s is not None:
            await asyncio.sleep(self.slow_s)
            raise NotDelivered("The receiver did not answer.")
        await asyncio.sleep(0)
        if self.down or notice.alert.cause == self.refuses:
            raise NotDelivered("The receiver refused.")
        self.delivered.append(notice)

    async def close(self) -> None:
        """Only noted."""
        self.closed = True

    @property
    def told(self) -> list[tuple[str, str]]:
        """Cause and stage of what it took, in order."""
        return [(notice.alert.cause, notice.stage.value) for notice in self.delivered]
