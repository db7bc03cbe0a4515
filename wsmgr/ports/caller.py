"""Tells callers that their executions are over."""

from __future__ import annotations

from typing import Protocol

from wsmgr.core.execution import Execution


class Refused(Exception):
    """The URL may not be called: its target is not one that the settings allow. Trying again is useless. One
    sentence."""


class Caller(Protocol):
    """Calls URLs that came with calls."""

    def check(self, url: str) -> None:
        """Raises Refused for what can be told from the URL alone."""
        ...

    async def call(self, url: str, execution: Execution) -> None:
        """Tell that URL of an execution that is over, once, within a bound. The same execution looks the same each
        time, so that its receiver can tell a repetition. Raises Refused, and `ports.notifier.NotDelivered`."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
