"""Ends tasks in bounded time, also one that takes its cancellation for an ordinary failure."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import structlog

log = structlog.get_logger(__name__)

AGAIN_S = 0.5
"""The pause between two cancellations of a task that goes on after the first."""


async def end_all(tasks: Collection[asyncio.Task[Any]], *, patience_s: float = 4.0, within_s: float = 6.0) -> None:
    """Cancel them and wait for their ends. Raises nothing of theirs.

    `patience_s` is for what they do at their end. A clean-up that fails in the middle of a cancellation replaces it,
    and whoever catches that failure goes on as if nothing had been asked: so from then on they are cancelled again and
    again, for `within_s` in all; what is left even then is logged and left alone.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + within_s
    left = {task for task in tasks if not task.done()}
    pause = patience_s
    while left and loop.time() < until:
        for task in left:
            task.cancel()
        left = (await asyncio.wait(left, timeout=min(pause, until - loop.time())))[1]
        pause = AGAIN_S
    for task in left:
        log.error("a task does not end", task=task.get_name(), at=where(task))
    # Nobody else asks how they ended.
    await asyncio.gather(*(task for task in tasks if task.done()), return_exceptions=True)


def where(task: asyncio.Task[Any]) -> list[str]:
    """The lines at which it waits, the innermost last."""
    return [f"{frame.f_code.co_filename}:{frame.f_lineno}" for frame in task.get_stack()]
