"""What one transaction of the writer is made of, and how it is carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from wsmgr.adapters.store import executions
from wsmgr.adapters.store.failures import spoils_transaction
from wsmgr.core.execution import Execution
from wsmgr.core.ids import ExecutionId

P = TypeVar("P")
R = TypeVar("R")

Work = Callable[[Connection], Any]
Many = Callable[[Connection, Sequence[Execution]], Sequence[Any]]
Result = tuple[Any, Exception | None]


@dataclass(slots=True, eq=False)
class Write(Generic[P, R]):
    """One write that is waited for. `undo`: what takes it back when it is committed with the result None and its
    caller turns out to have given up."""

    payload: P
    future: asyncio.Future[R]
    undo: Work | None = None

    @property
    def is_given_up(self) -> bool:
        """Whether the caller is gone (timed out or cancelled)."""
        return self.future.cancelled()


@dataclass(frozen=True, slots=True)
class Settled:
    """How a write went."""

    write: Write[Any, Any]
    result: Any
    error: Exception | None


@dataclass(slots=True)
class Batch:
    """Lanes, in the order in which they are carried out: notes and undos belong to calls that have returned; the
    others wait, are so concurrent with one another, and may take any order."""

    notes: dict[ExecutionId, Execution] = field(default_factory=dict)
    undos: list[Work] = field(default_factory=list)
    begins: list[Write[Execution, Execution | None]] = field(default_factory=list)
    ends: list[Write[Execution, None]] = field(default_factory=list)
    works: list[Write[Work, Any]] = field(default_factory=list)

    @property
    def waited(self) -> list[Write[Any, Any]]:
        """All that somebody waits for."""
        return [*self.begins, *self.ends, *self.works]

    def without_notes(self) -> Batch:
        """Only what somebody waits for."""
        return Batch({}, [], self.begins, self.ends, self.works)

    def without_given_up(self) -> Batch:
        """The same without the writes whose callers are gone: what was never made needs no undoing."""
        return Batch(
            self.notes,
            self.undos,
            [write for write in self.begins if not write.is_given_up],
            [write for write in self.ends if not write.is_given_up],
            [write for write in self.works if not write.is_given_up],
        )


def perform(connection: Connection, batch: Batch) -> tuple[list[Settled], int]:
    """Carry out all writes of a batch in the open transaction; also, how many notes could not be written.

    A write that fails by its own fault is undone and settled with its error, and the others stand. Raises what spoils
    the transaction as a whole.
    """
    noted = _together(connection, executions.end_many, list(batch.notes.values()))
    for undo in batch.undos:
        _alone(connection, undo)
    settled: list[Settled] = []
    lanes: list[tuple[Many, Sequence[Write[Execution, Any]]]] = [
        (executions.begin_many, batch.begins),
        (executions.end_many, batch.ends),
    ]
    for many, writes in lanes:
        results = _together(connection, many, [write.payload for write in writes])
        settled += [Settled(write, *result) for write, result in zip(writes, results, strict=True)]
    settled += [Settled(write, *_alone(connection, write.payload)) for write in batch.works]
    return settled, sum(error is not None for _, error in noted)


def _together(connection: Connection, many: Many, payloads: Sequence[Execution]) -> list[Result]:
    """All in one statement; each in one of its own when that fails, so that only the bad one fails."""
    if not payloads:
        return []
    results, error = _alone(connection, lambda inner: many(inner, payloads))
    if error is None:
        return [(result, None) for result in results]
    return [_alone(connection, partial(_only, many, payload)) for payload in payloads]


def _only(many: Many, payload: Execution, connection: Connection) -> object:
    return many(connection, [payload])[0]


def _alone(connection: Connection, work: Work) -> Result:
    savepoint = connection.begin_nested()
    try:
        result = work(connection)
    except Exception as error:
        # Of a spoiled transaction the savepoint is gone too: going back to it would hide what happened.
        if spoils_transaction(error):
            raise
        savepoint.rollback()
        return None, error
    savepoint.commit()
    return result, None
