"""A few threads for what may wait inside the kernel, so that the event loop does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Lane:
    """Runs work in the order in which it came, in at most `threads` threads; with one it never overlaps."""

    def __init__(self, name: str, threads: int = 1) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"cgroup-{name}")

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Have it done, whether or not anybody waits."""
        return self._executor.submit(work)

    async def run(self, work: Callable[[], T]) -> T:
        """What the work gives; raises what it raises. Bound it by asyncio.timeout: work that has begun then goes on
        unawaited, work that waits for its turn is dropped."""
        return await asyncio.wrap_future(self.submit(work))

    def close(self) -> None:
        """Drop what waits; what runs ends by itself."""
        self._executor.shutdown(wait=False, cancel_futures=True)
