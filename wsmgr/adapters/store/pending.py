"""What waits for the writer thread: filled by the event loop, emptied by the thread."""

from __future__ import annotations

import threading
import time
from typing import Any

from wsmgr.adapters.store.batch import Batch, Work, Write
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.execution import Execution
from wsmgr.core.ids import ExecutionId

_FLUSH_AT = 500
"""So many notes are written at once without waiting for the others: a short transaction, and few in memory."""

_RETRY_AFTER_S = 1.0


class Pending:
    """Bounded lanes of writes. Nothing here takes longer than moving references.

    `length`: how many writes may wait; `backlog`: how many notes; `flush_after_s`: how long a note may.
    """

    def __init__(self, *, length: int, backlog: int, flush_after_s: float) -> None:
        self._length = length
        self._backlog = backlog
        self._flush_after_s = flush_after_s
        self._next = Batch()
        self._in_flight = Batch()
        self._waiting = 0
        self._notes_due: float | None = None
        self._closing = True
        self._changed = threading.Condition(threading.Lock())
        self.dropped_notes = 0

    def open(self) -> None:
        """Take writes. Before this, and after `close`, they are refused."""
        with self._changed:
            self._closing = False

    def begin(self, write: Write[Execution, Execution | None]) -> None:
        """Add a beginning. Raises StoreUnavailable when too many writes wait."""
        with self._changed:
            self._admit()
            self._next.begins.append(write)

    def end(self, write: Write[Execution, None]) -> None:
        """Add an end. Raises StoreUnavailable when too many writes wait."""
        with self._changed:
            self._admit()
            self._next.ends.append(write)

    def work(self, write: Write[Work, Any]) -> None:
        """Add any other write. Raises StoreUnavailable when too many writes wait."""
        with self._changed:
            self._admit()
            self._next.works.append(write)

    def undo(self, work: Work) -> None:
        """Add what takes a write back, however many wait; the next batch does it before anything else."""
        with self._changed:
            self._next.undos.append(work)
            self._waiting += 1
            self._changed.notify()

    def note(self, execution: Execution) -> None:
        """Add a note; it is dropped and counted when the backlog is full or the store is closed."""
        with self._changed:
            notes = self._next.notes
            full = execution.id not in notes and len(notes) + len(self._in_flight.notes) >= self._backlog
            if full or self._closing:
                self.dropped_notes += 1
                return
            notes[execution.id] = execution
            if self._notes_due is None:
                self._notes_due = time.monotonic() + self._flush_after_s
                self._changed.notify()
            elif len(notes) == _FLUSH_AT:
                self._notes_due = time.monotonic()
                self._changed.notify()

    def noted(self, execution: ExecutionId) -> Execution | None:
        """A note that is not committed yet."""
        with self._changed:
            return self._next.notes.get(execution) or self._in_flight.notes.get(execution)

    @property
    def has_notes(self) -> bool:
        """Whether some are not committed yet."""
        with self._changed:
            return bool(self._next.notes or self._in_flight.notes)

    def take(self) -> Batch | None:
        """For the thread: wait for something to write, and take it all. None: closed, and nothing is left."""
        with self._changed:
            while not self._is_due():
                if self._closing:
                    return None
                wait = None if self._notes_due is None else self._notes_due - time.monotonic()
                self._changed.wait(wait)
            batch, self._next = self._next, Batch()
            self._in_flight = batch
            self._waiting = 0
            self._notes_due = None
            return batch

    def done(self, dropped: int) -> None:
        """For the thread: what was taken is committed, but for so many notes."""
        with self._changed:
            self._in_flight = Batch()
            self.dropped_notes += dropped

    def put_back(self) -> None:
        """For the thread: the transaction failed. Its notes, unless newer ones replace them, and its undos are tried
        again; the writes that are waited for are not."""
        with self._changed:
            notes = self._in_flight.notes | self._next.notes
            self._next.undos[:0] = self._in_flight.undos
            self._in_flight = Batch()
            if self._closing:
                self.dropped_notes += len(notes)
                notes = {}
            self._next.notes = notes
            self._notes_due = time.monotonic() + _RETRY_AFTER_S if notes else None

    def close(self) -> None:
        """Take nothing more; the thread writes what is there and ends."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def _admit(self) -> None:
        if self._closing:
            raise StoreUnavailable("The store is closed.")
        if self._waiting >= self._length:
            raise StoreUnavailable(f"{self._waiting} writes wait for the database already. Try again.", retry_after=1.0)
        self._waiting += 1
        if self._waiting == 1:
            self._changed.notify()

    def _is_due(self) -> bool:
        if self._waiting:
            return True
        if self._notes_due is None:
            return False
        return self._closing or time.monotonic() >= self._notes_due
