"""The real offload: one thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from wsmgr.ports.offload import Busy

T = TypeVar("T")


class ThreadOffload:
    """Implements ports.offload.Offload. Work that hangs keeps the thread, and nobody else waits for it."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._under_way: Future[Any] | None = None

    async def run(self, work: Callable[[], T], timeout_s: float) -> T:
        """Do it in the thread."""
        if self._under_way is not None and not self._under_way.done():
            raise Busy("What was to be done before has not ended yet.")
        future = self._under_way = self._thread.submit(work)
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise Busy(f"It did not end within {timeout_s:g} s.") from None

    def close(self) -> None:
        """Let the thread end when its work has."""
        self._thread.shutdown(wait=False, cancel_futures=True)
