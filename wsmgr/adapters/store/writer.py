"""The one thread that writes. What many callers wait for goes into one transaction: they share its commit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from wsmgr.adapters.store import executions
from wsmgr.adapters.store.batch import Batch, Settled, Write, perform
from wsmgr.adapters.store.failures import is_full, is_stale, unavailable
from wsmgr.adapters.store.pending import Pending
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.execution import Execution

R = TypeVar("R")


class CommitInDoubt(Exception):
    """The commit failed: whether it happened is known to the database alone. The cause says why."""


class Writer:
    """Belongs to the event loop in which it is made. `timeout_s` bounds the wait for a confirmation."""

    def __init__(self, engine: Engine, pending: Pending, *, timeout_s: float) -> None:
        self._engine = engine
        self._pending = pending
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        # A daemon thread: a program that forgets to close the store still ends, and what is committed is safe.
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    async def begin(self, execution: Execution) -> Execution | None:
        """None when it is new, else the record with its id. A caller that gives up waiting leaves no record."""
        future: asyncio.Future[Execution | None] = self._loop.create_future()
        identifier = execution.id
        write = Write(execution, future, undo=lambda connection: executions.withdraw(connection, identifier))
        self._pending.begin(write)
        return await self._confirmed(write, future)

    async def end(self, execution: Execution) -> None:
        """Insert or replace."""
        future: asyncio.Future[None] = self._loop.create_future()
        write = Write(execution, future)
        self._pending.end(write)
        await self._confirmed(write, future)

    async def do(self, work: Callable[[Connection], R]) -> R:
        """Any other write. `work` runs in the thread, in a transaction; once more if the connection was stale."""
        future: asyncio.Future[R] = self._loop.create_future()
        write = Write(work, future)
        self._pending.work(write)
        return await self._confirmed(write, future)

    async def stop(self, timeout_s: float) -> None:
        """Write what waits, and end the thread. Raises StoreUnavailable when the database takes longer than that."""
        self._pending.close()
        await asyncio.to_thread(self._thread.join, timeout_s)
        if self._thread.is_alive():
            raise StoreUnavailable(f"The database did not take the last writes within {timeout_s:g} s.")

    async def _confirmed(self, write: Write[Any, R], future: asyncio.Future[R]) -> R:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await future
        except TimeoutError:
            self._give_up(write)
            raise StoreUnavailable(
                f"The database did not confirm the write within {self._timeout_s:g} s; it may or may not be made."
            ) from None
        except asyncio.CancelledError:
            self._give_up(write)
            raise

    def _give_up(self, write: Write[Any, Any]) -> None:
        """The confirmation may have come in the very moment in which the caller stopped waiting for it."""
        future = write.future
        if future.done() and not future.cancelled() and future.exception() is None:
            self._take_back(write, future.result())

    def _take_back(self, write: Write[Any, Any], result: object) -> None:
        if write.undo is not None and result is None:
            self._pending.undo(write.undo)

    def _settle(self, all_settled: Sequence[Settled]) -> None:
        """In the event loop: tell the callers."""
        for settled in all_settled:
            future = settled.write.future
            if future.cancelled():
                if settled.error is None:
                    self._take_back(settled.write, settled.result)
            elif settled.error is not None:
                future.set_exception(settled.error)
            else:
                future.set_result(settled.result)

    def _run(self) -> None:
        while (batch := self._pending.take()) is not None:
            settled = self._write(batch.without_given_up())
            try:
                self._loop.call_soon_threadsafe(self._settle, settled)
            except RuntimeError:
                # The loop is closed, and with it everybody who waited.
                continue
        self._engine.dispose()

    def _write(self, batch: Batch) -> list[Settled]:
        if not batch.notes and not batch.undos and not batch.waited:
            return []
        try:
            settled, dropped = self._commit(batch)
        except Exception as error:
            # Whatever it was, the thread must live on, and everybody who waits must hear of it.
            cause = error.__cause__ if isinstance(error, CommitInDoubt) else error
            self._pending.put_back()
            if batch.notes and batch.waited and is_full(cause):
                # The notes must not be in the way of what may make space for them.
                return self._write(batch.without_notes())
            return [Settled(write, None, _explained(cause)) for write in batch.waited]
        self._pending.done(dropped)
        return settled

    def _commit(self, batch: Batch) -> tuple[list[Settled], int]:
        try:
            return self._commit_once(batch)
        except SQLAlchemyError as error:
            if not is_stale(error):
                raise
        # The server was restarted since the last write; nothing was committed.
        return self._commit_once(batch)

    def _commit_once(self, batch: Batch) -> tuple[list[Settled], int]:
        with self._engine.connect() as connection:
            transaction = connection.begin()
            # Beginning may have waited for a lock, and callers may have left meanwhile.
            result = perform(connection, batch.without_given_up())
            try:
                transaction.commit()
            except SQLAlchemyError as error:
                raise CommitInDoubt from error
        return result


def _explained(cause: BaseException | None) -> StoreUnavailable:
    """A fresh one for each caller: an exception carries the traceback of whoever raises it."""
    if isinstance(cause, SQLAlchemyError | OSError):
        return unavailable(cause)
    explained = StoreUnavailable(f"The write failed for a reason of wsmgr's own: {type(cause).__name__}: {cause}.")
    explained.__cause__ = cause
    return explained
