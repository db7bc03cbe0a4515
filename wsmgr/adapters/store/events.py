"""The statements about the audit trail."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, select

from wsmgr.adapters.store.rows import event_from, event_values
from wsmgr.adapters.store.tables import EVENTS
from wsmgr.core.event import Event
from wsmgr.core.ids import WorkspaceId


def append(connection: Connection, event: Event) -> Event:
    """Keep it; with the id it got."""
    identifier = connection.execute(EVENTS.insert().returning(EVENTS.c.id), event_values(event)).scalar_one()
    return replace(event, id=identifier)


def newest(
    connection: Connection,
    workspace: WorkspaceId | None,
    limit: int,
    before: int | None,
    actor: str | None,
    action: str | None,
) -> list[Event]:
    """Newest first: of one workspace or of all, with ids below `before`, of one actor, of one action."""
    query = select(EVENTS).order_by(EVENTS.c.id.desc()).limit(limit)
    if workspace is not None:
        query = query.where(EVENTS.c.workspace == workspace)
    if before is not None:
        query = query.where(EVENTS.c.id < before)
    if actor is not None:
        query = query.where(EVENTS.c.actor == actor)
    if action is not None:
        query = query.where(EVENTS.c.action == action)
    return [event_from(row) for row in connection.execute(query)]


def following(connection: Connection, event: int, limit: int) -> list[Event]:
    """Oldest first, with ids above `event`."""
    query = select(EVENTS).where(EVENTS.c.id > event).order_by(EVENTS.c.id).limit(limit)
    return [event_from(row) for row in connection.execute(query)]
