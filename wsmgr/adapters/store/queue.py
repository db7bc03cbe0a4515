"""The statements about calls that wait to be started, and about who is told of their end."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from wsmgr.adapters.store import executions
from wsmgr.adapters.store.rows import execution_from, execution_values
from wsmgr.adapters.store.tables import CALLBACKS, EXECUTIONS, QUEUED_CALLS
from wsmgr.core.execution import Execution, ExecutionState
from wsmgr.core.ids import ExecutionId

_C = EXECUTIONS.c
_GOING_ON = [state.value for state in ExecutionState if not state.over]


def enqueue(connection: Connection, execution: Execution, call: bytes, callback: str | None) -> Execution | None:
    """Insert all of it, or nothing where the id is taken: then the record that has it."""
    (first,) = executions.begin_many(connection, [execution])
    if first is not None:
        return first
    connection.execute(insert(QUEUED_CALLS).values(execution=execution.id, call=call))
    if callback is not None:
        connection.execute(insert(CALLBACKS).values(execution=execution.id, url=callback))
    return None


def waiting(connection: Connection) -> list[Execution]:
    """The records of those that have not been started, in their order."""
    query = select(EXECUTIONS).join(QUEUED_CALLS, QUEUED_CALLS.c.execution == _C.id)
    query = query.where(_C.state == ExecutionState.QUEUED.value).order_by(QUEUED_CALLS.c.serial)
    return [execution_from(row) for row in connection.execute(query)]


def call_of(connection: Connection, execution: ExecutionId) -> bytes | None:
    """What is to be run."""
    query = select(QUEUED_CALLS.c.call).join(EXECUTIONS, QUEUED_CALLS.c.execution == _C.id)
    return connection.execute(query.where(_C.id == execution, _C.state.in_(_GOING_ON))).scalar_one_or_none()


def start(connection: Connection, execution: Execution) -> bool:
    """Make the record say what it says at the start, unless it is over."""
    return _replace(connection, execution)


def requeue(connection: Connection, execution: ExecutionId) -> None:
    """Back from running to queued."""
    statement = update(EXECUTIONS).where(_C.id == execution, _C.state == ExecutionState.RUNNING.value)
    connection.execute(statement.values(state=ExecutionState.QUEUED.value))


def finish(connection: Connection, execution: Execution) -> bool:
    """Make the record say how it ended, unless it is over."""
    if not _replace(connection, execution):
        return False
    connection.execute(delete(QUEUED_CALLS).where(QUEUED_CALLS.c.execution == execution.id))
    return True


def due_callbacks(connection: Connection, limit: int) -> list[tuple[ExecutionId, str]]:
    """Of executions that are over."""
    query = select(_C.id, CALLBACKS.c.url).select_from(CALLBACKS).join(EXECUTIONS, CALLBACKS.c.execution == _C.id)
    rows = connection.execute(query.where(_C.state.not_in(_GOING_ON)).order_by(_C.created_at).limit(limit))
    return [(ExecutionId(row.id), row.url) for row in rows]


def called_back(connection: Connection, execution: ExecutionId) -> None:
    """Nobody is to be told any more."""
    connection.execute(delete(CALLBACKS).where(CALLBACKS.c.execution == execution))


def _replace(connection: Connection, execution: Execution) -> bool:
    statement = update(EXECUTIONS).where(_C.id == execution.id, _C.state.in_(_GOING_ON))
    return connection.execute(statement.values(execution_values(execution))).rowcount == 1
