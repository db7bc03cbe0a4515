"""The statements that delete what is old, a batch at a time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, delete, select

from wsmgr.adapters.store.tables import ALERTS, EVENTS, EXECUTIONS
from wsmgr.core.execution import ExecutionState


def purge_executions(connection: Connection, before: datetime, limit: int) -> int:
    """Those that have ended; how many."""
    ended = EXECUTIONS.c.state.not_in([state.value for state in ExecutionState if not state.over])
    return _purge(connection, EXECUTIONS, EXECUTIONS.c.created_at, ended, before, limit)


def purge_events(connection: Connection, before: datetime, limit: int) -> int:
    """How many."""
    return _purge(connection, EVENTS, EVENTS.c.at, None, before, limit)


def purge_alerts(connection: Connection, before: datetime, limit: int) -> int:
    """Those that were resolved; how many. NULL is before nothing."""
    return _purge(connection, ALERTS, ALERTS.c.resolved_at, None, before, limit)


def free_pages(connection: Connection) -> int:
    """How many pages of an SQLite file hold nothing and can be given back."""
    if connection.dialect.name != "sqlite" or connection.exec_driver_sql("PRAGMA auto_vacuum").scalar_one() != 2:
        return 0
    return int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())


def reclaim(connection: Connection, pages: int) -> int:
    """Give pages back; how many are left. A file that was made without incremental vacuum has none to give."""
    if free_pages(connection) == 0:
        return 0
    # On the driver's own cursor: each step of this statement gives one page back, so that it must be read to its end,
    # which SQLAlchemy does not do with a statement that has no columns.
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA incremental_vacuum({pages:d})")
    cursor.fetchall()
    cursor.close()
    return free_pages(connection)


def _purge(
    connection: Connection,
    table: Table,
    time: ColumnElement[datetime],
    only: ColumnElement[bool] | None,
    before: datetime,
    limit: int,
) -> int:
    (key,) = table.primary_key.columns
    old = select(key).where(time < before).order_by(time).limit(limit)
    if only is not None:
        old = old.where(only)
    return connection.execute(delete(table).where(key.in_(old))).rowcount
