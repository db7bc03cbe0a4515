"""Bringing a database to the schema of this wsmgr, exactly once whoever opens it at the same time."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError

from wsmgr.core.errors import StoreUnavailable

_LOCK = 0x77736D6772  # "wsmgr": the number of the advisory lock in PostgreSQL


def migrate(engine: Engine, wait_s: float) -> None:
    """Apply what is missing, in one transaction that holds the write lock of the file (PostgreSQL: an advisory lock).

    A crash in the middle leaves the database as it was. Raises StoreUnavailable when a newer wsmgr has made it.
    """
    if engine.dialect.name == "sqlite":
        _write_ahead_logging(engine, wait_s)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        config = _config(connection)
        script = ScriptDirectory.from_config(config)
        known = {revision.revision for revision in script.walk_revisions()}
        heads = script.get_heads()
        present = set(MigrationContext.configure(connection).get_current_heads())
        if present - known:
            raise StoreUnavailable(
                f"The database has the schema {', '.join(sorted(present - known))} of a newer wsmgr; this one knows "
                f"up to {', '.join(heads)}. Upgrade wsmgr, or put back the copy from before."
            )
        if present != set(heads):
            command.upgrade(config, "head")
            if engine.dialect.name == "sqlite":
                _check_references(connection)


def _config(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _write_ahead_logging(engine: Engine, wait_s: float) -> None:
    """Switch the file to WAL, which it then remembers. SQLite does not wait for its lock here, so this does."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            with closing(engine.raw_connection()) as connection:
                # Only an empty file takes this; it comes first, since the next statement writes the first page.
                connection.cursor().execute("PRAGMA auto_vacuum=INCREMENTAL")
                connection.cursor().execute("PRAGMA journal_mode=WAL")
        except sqlite3.Error as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise DatabaseError("PRAGMA journal_mode=WAL", None, error) from error
            time.sleep(0.02)
        else:
            return


def _check_references(connection: Connection) -> None:
    """A migration may copy tables, for which foreign keys are off; here nothing may dangle."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise StoreUnavailable(
            f"The migration would leave {len(broken)} rows without what they refer to; nothing was changed."
        )
