"""The statements about alerts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select, update

from wsmgr.adapters.store.rows import alert_from, trouble_values
from wsmgr.adapters.store.tables import ALERTS
from wsmgr.adapters.store.upsert import insert
from wsmgr.core.alert import Alert, Notice, Stage, Trouble
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


def untold(connection: Connection, since: datetime, limit: int) -> list[Notice]:
    """What nobody was told of: of open alerts, and of those raised or resolved after `since`."""
    raised = and_(_C.raised_told_at.is_(None), or_(_C.resolved_at.is_(None), _C.raised_at > since))
    resolved = and_(_C.resolved_told_at.is_(None), _C.resolved_at > since)
    query = select(ALERTS).where(or_(raised, resolved)).order_by(_C.id).limit(limit)
    found = []
    for row in connection.execute(query):
        alert = alert_from(row)
        if row.raised_told_at is None and (alert.resolved_at is None or alert.raised_at > since):
            found.append(Notice(alert, Stage.RAISED))
        if row.resolved_told_at is None and alert.resolved_at is not None and alert.resolved_at > since:
            found.append(Notice(alert, Stage.RESOLVED))
    return found


def told(connection: Connection, notice: Notice, now: datetime) -> None:
    """Note when."""
    column = "raised_told_at" if notice.stage is Stage.RAISED else "resolved_told_at"
    connection.execute(update(ALERTS).where(_C.id == notice.alert.id).values({column: now}))


def newest(connection: Connection, limit: int, before: int | None, *, resolved: bool) -> list[Alert]:
    """Newest first, with ids below `before`; only open ones unless `resolved`."""
    query = select(ALERTS).order_by(_C.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_C.id < before)
    if not resolved:
        query = query.where(_C.resolved_at.is_(None))
    return [alert_from(row) for row in connection.execute(query)]
