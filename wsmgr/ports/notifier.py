"""Telling somebody outside of alerts."""

from __future__ import annotations

from typing import Protocol

from wsmgr.core.alert import Notice


class NotDelivered(Exception):
    """The receiver did not take it; the text is one sentence that says why, and holds no secret."""


class Notifier(Protocol):
    """One receiver of notices."""

    async def deliver(self, notice: Notice) -> None:
        """Give it to the receiver, who has taken it when this returns. Bounded in time. Raises NotDelivered."""
        ...

    async def close(self) -> None:
        """Let go of connections. Idempotent."""
        ...
