"""The threads that read, each on a connection of its own, beside the writer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from wsmgr.adapters.store.failures import is_stale, unavailable
from wsmgr.core.errors import StoreUnavailable

R = TypeVar("R")


class Readers:
    """At most `length` reads at once, waiting ones included; each takes at most `timeout_s`."""

    def __init__(self, engine: Engine, *, threads: int, length: int, timeout_s: float) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="store-reader")
        self._length = length
        self._timeout_s = timeout_s
        self._waiting = 0
        self._closed = False

    async def run(self, read: Callable[[Connection], R]) -> R:
        """What `read` gives, run in a thread. Raises StoreUnavailable."""
        if self._closed:
            raise StoreUnavailable("The store is closed.")
        if self._waiting >= self._length:
            raise StoreUnavailable(f"{self._waiting} reads wait for the database already. Try again.", retry_after=1.0)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, read)
        except TimeoutError:
            raise StoreUnavailable(f"The database did not answer within {self._timeout_s:g} s.") from None
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Drop the reads that wait; those that run end by themselves, within the database's own time limits."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._engine.dispose()

    def _read(self, read: Callable[[Connection], R]) -> R:
        try:
            return self._read_once(read)
        except SQLAlchemyError as error:
            if not is_stale(error):
                raise unavailable(error) from error
        # The server was restarted since the last read.
        try:
            return self._read_once(read)
        except SQLAlchemyError as error:
            raise unavailable(error) from error

    def _read_once(self, read: Callable[[Connection], R]) -> R:
        with self._engine.connect() as connection, connection.begin():
            return read(connection)
