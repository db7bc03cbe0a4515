"""The statements about executions. Those of the hot path take many records at once."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from sqlalchemy import Connection, delete, literal, select, tuple_, update

from wsmgr.adapters.store.rows import execution_from, execution_values
from wsmgr.adapters.store.tables import EXECUTIONS, QUEUED_CALLS
from wsmgr.adapters.store.upsert import insert, upsert
from wsmgr.core.errors import InvalidRequest
from wsmgr.core.execution import Execution, ExecutionState
from wsmgr.core.ids import ExecutionId, WorkspaceId, parse_execution_id

_C = EXECUTIONS.c
# A statement has at most 32,766 parameters in SQLite, 65,535 in PostgreSQL.
_IDS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place after a record in the order newest first."""

    created_at: datetime
    id: ExecutionId


def encode_cursor(execution: Execution) -> str:
    """An opaque word for URLs."""
    text = orjson.dumps([execution.created_at.astimezone(UTC).isoformat(), execution.id])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def decode_cursor(word: str) -> Cursor:
    """What `encode_cursor` made. Raises InvalidRequest."""
    try:
        padded = word.encode("ascii") + b"=" * (-len(word) % 4)
        at, identifier = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        created_at = datetime.fromisoformat(at)
        cursor = Cursor(created_at.astimezone(UTC), parse_execution_id(identifier))
    except (ValueError, TypeError, OverflowError, InvalidRequest):
        raise InvalidRequest("The cursor is not one that a page of executions gave: ask again without it.") from None
    return cursor


def begin_many(connection: Connection, executions: Sequence[Execution]) -> list[Execution | None]:
    """Insert those whose id is new. For each: None, or the record that has its id already.

    Of several with one id the first counts. Raises TypeError or ValueError when an output is not JSON.
    """
    first: dict[str, Execution] = {}
    for execution in executions:
        first.setdefault(execution.id, execution)
    statement = insert(connection, EXECUTIONS).on_conflict_do_nothing(index_elements=[_C.id]).returning(_C.id)
    inserted = set(connection.execute(statement, [execution_values(one) for one in first.values()]).scalars())
    present = find_many(connection, [identifier for identifier in first if identifier not in inserted])
    results: list[Execution | None] = []
    for execution in executions:
        if execution.id in inserted:
            inserted.remove(execution.id)
            results.append(None)
        else:
            results.append(present.get(execution.id, first[execution.id]))
    return results


def end_many(connection: Connection, executions: Sequence[Execution]) -> list[None]:
    """Insert or replace; of several with one id the last counts. Raises as `begin_many` does."""
    last = {execution.id: execution for execution in executions}
    connection.execute(upsert(connection, EXECUTIONS), [execution_values(one) for one in last.values()])
    return [None] * len(executions)


def withdraw(connection: Connection, execution: ExecutionId) -> None:
    """Forget a beginning; what has ended stays."""
    connection.execute(delete(EXECUTIONS).where(_C.id == execution, _C.state == ExecutionState.RUNNING.value))


def find_many(connection: Connection, ids: Sequence[str]) -> dict[str, Execution]:
    """The records that exist, by id."""
    found: dict[str, Execution] = {}
    for start in range(0, len(ids), _IDS_AT_ONCE):
        rows = connection.execute(select(EXECUTIONS).where(_C.id.in_(ids[start : start + _IDS_AT_ONCE])))
        found.update((row.id, execution_from(row)) for row in rows)
    return found


def page(
    connection: Connection, workspace: WorkspaceId, limit: int, before: Cursor | None
) -> tuple[list[Execution], str | None]:
    """Up to `limit` records of a workspace, newest first, and the cursor of the next page."""
    query = select(EXECUTIONS).where(_C.workspace == workspace)
    if before is not None:
        place = tuple_(literal(before.created_at, _C.created_at.type), literal(before.id, _C.id.type))
        query = query.where(tuple_(_C.created_at, _C.id) < place)
    rows = connection.execute(query.order_by(_C.created_at.desc(), _C.id.desc()).limit(limit + 1)).all()
    found = [execution_from(row) for row in rows[:limit]]
    return found, encode_cursor(found[-1]) if len(rows) > limit else None


def lose_running(connection: Connection) -> int:
    """Mark what says `running` as lost; how many there were. What was queued stays, and nothing else in the queue."""
    queued = select(_C.id).where(_C.state == ExecutionState.QUEUED.value)
    connection.execute(delete(QUEUED_CALLS).where(QUEUED_CALLS.c.execution.not_in(queued)))
    statement = update(EXECUTIONS).where(_C.state == ExecutionState.RUNNING.value)
    return connection.execute(statement.values(state=ExecutionState.LOST.value)).rowcount
