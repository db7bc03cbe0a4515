"""Waiting for something outside of this process (a container, a socket) that gives no signal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T | None]], timeout_s: float = 20.0) -> T:
    """The first answer of `look` that is not None; AssertionError when none comes in time."""
    try:
        async with asyncio.timeout(timeout_s):
            while (seen := await look()) is None:  # noqa: ASYNC110 (nobody could set an event)
                await asyncio.sleep(0.01)
            return seen
    except TimeoutError:
        message = f"{look.__qualname__} saw nothing in {timeout_s} s"
        raise AssertionError(message) from None
