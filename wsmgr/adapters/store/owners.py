"""The statements about owners."""

from __future__ import annotations

from sqlalchemy import Connection, select

from wsmgr.adapters.store.rows import owner_from, owner_values
from wsmgr.adapters.store.tables import OWNERS
from wsmgr.adapters.store.upsert import upsert
from wsmgr.core.ids import OwnerKey
from wsmgr.core.owner import Owner


def find(connection: Connection, key: OwnerKey) -> Owner | None:
    """What was chosen for the owner."""
    row = connection.execute(select(OWNERS).where(OWNERS.c.key == key)).one_or_none()
    return None if row is None else owner_from(row)


def put(connection: Connection, owner: Owner) -> None:
    """Insert or replace."""
    connection.execute(upsert(connection, OWNERS), owner_values(owner))


def page(connection: Connection, after: str, limit: int) -> list[Owner]:
    """By key, those behind `after`."""
    query = select(OWNERS).where(OWNERS.c.key > after).order_by(OWNERS.c.key).limit(limit)
    return [owner_from(row) for row in connection.execute(query)]
