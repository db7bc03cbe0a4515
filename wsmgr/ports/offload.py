"""Work that blocks, done where it holds up nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Busy(Exception):
    """What was asked for before has not ended yet, or this took too long; the sentence says which."""


class Offload(Protocol):
    """One piece of work at a time, and no queue."""

    async def run(self, work: Callable[[], T], timeout_s: float) -> T:
        """What `work` returns or raises. Raises Busy: it may be under way then, and what it returns is dropped."""
        ...

    def close(self) -> None:
        """Take no more work."""
        ...
