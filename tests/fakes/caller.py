"""Calls nobody, and remembers whom it would have called."""

from __future__ import annotations

import asyncio

from wsmgr.core.execution import Execution
from wsmgr.ports.caller import Refused
from wsmgr.ports.notifier import NotDelivered


class FakeCaller:
    """`called` is what was delivered; `down` makes it fail, and URLs in `refused` are refused."""

    def __init__(self) -> None:
        self.called: list[tuple[str, Execution]] = []
        self.tried: list[float] = []
        self.down = False
        self.refused: set[str] = set()
        self.closed = False

    def check(self, url: str) -> None:
        """Refuses those that it was told to."""
        if url in self.refused:
            raise Refused("It leads where it may not.")

    async def call(self, url: str, execution: Execution) -> None:
        """Take it, or not."""
        self.tried.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0)
        self.check(url)
        if self.down:
            raise NotDelivered("The receiver refused.")
        self.called.append((url, execution))

    async def close(self) -> None:
        """Only noted."""
        self.closed = True
