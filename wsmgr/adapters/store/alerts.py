"""The statements about alerts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select, update

from wsmgr.adapters.store.rows import alert_from, trouble_values
from wsmgr.adapters.store.tables import ALERTS
from wsmgr.adapters.store.upsert import insert
from wsmgr.core.alert import Alert, Trouble
from wsmgr.core.errors import NotFound

_C = ALERTS.c


def open_new(connection: Connection, trouble: Trouble, now: datetime) -> Alert | None:
    """A new alert, None when one of this cause is open: the unique index decides."""
    statement = insert(connection, ALERTS).on_conflict_do_nothing(
        index_elements=[_C.cause], index_where=_C.resolved_at.is_(None)
    )
    row = connection.execute(statement.returning(*_C), {**trouble_values(trouble), "raised_at": now}).one_or_none()
    return None if row is None else alert_from(row)


def resolve(connection: Connection, cause: str, now: datetime) -> Alert | None:
    """Close the open one; None when there is none."""
    statement = update(ALERTS).where(_C.cause == cause, _C.resolved_at.is_(None)).values(resolved_at=now)
    row = connection.execute(statement.returning(*_C)).one_or_none()
    return None if row is None else alert_from(row)


def acknowledge(connection: Connection, alert: int, by: str, now: datetime) -> Alert:
    """Note who knows of it, unless somebody did already. Raises NotFound."""
    statement = (
        update(ALERTS)
        .where(_C.id == alert)
        .values(
            acknowledged_by=func.coalesce(_C.acknowledged_by, by),
            acknowledged_at=func.coalesce(_C.acknowledged_at, now),
        )
    )
    row = connection.execute(statement.returning(*_C)).one_or_none()
    if row is None:
        raise NotFound(f"There is no alert {alert}.")
    return alert_from(row)


def all_open(connection: Connection) -> list[Alert]:
    """Those that are not resolved, oldest first."""
    query = select(ALERTS).where(_C.resolved_at.is_(None)).order_by(_C.id)
    return [alert_from(row) for row in connection.execute(query)]


def newest(connection: Connection, limit: int, before: int | None, *, resolved: bool) -> list[Alert]:
    """Newest first, with ids below `before`; only open ones unless `resolved`."""
    query = select(ALERTS).order_by(_C.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_C.id < before)
    if not resolved:
        query = query.where(_C.resolved_at.is_(None))
    return [alert_from(row) for row in connection.execute(query)]
