"""The statements about bearer tokens."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from wsmgr.adapters.store.rows import token_from
from wsmgr.adapters.store.tables import TOKENS
from wsmgr.adapters.store.upsert import insert
from wsmgr.core.errors import Conflict
from wsmgr.ports.store import Token


def put(connection: Connection, token: Token, digest: str) -> None:
    """Keep a new one. Raises Conflict when the name is taken."""
    # The row itself is asked for: the count of an insert that did nothing is not the same on every database.
    inserting = insert(connection, TOKENS).on_conflict_do_nothing(index_elements=[TOKENS.c.name])
    values = {"name": token.name, "role": token.role, "created_at": token.created_at, "digest": digest}
    if connection.execute(inserting.returning(TOKENS.c.name), values).one_or_none() is None:
        raise Conflict(f"There is a token {token.name!r} already: revoke it first, or choose another name.")


def all_tokens(connection: Connection) -> list[tuple[Token, str]]:
    """With their digests, by name."""
    rows = connection.execute(select(TOKENS).order_by(TOKENS.c.name))
    return [(token_from(row), row.digest) for row in rows]


def remove(connection: Connection, name: str) -> bool:
    """Delete it; whether there was one."""
    return connection.execute(delete(TOKENS).where(TOKENS.c.name == name)).rowcount > 0
