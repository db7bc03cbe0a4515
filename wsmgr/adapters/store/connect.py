"""Engines of SQLAlchemy, set up so that a commit is durable and nothing waits for ever."""

from __future__ import annotations

import math
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError

from wsmgr.core.errors import InvalidRequest

_PAGE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Access:
    """How one kind of connection behaves. `lock_s`: how long it waits for a lock; `statement_s`: for an answer.

    `begin` is the statement with which SQLite opens a transaction: `BEGIN IMMEDIATE` takes the write lock at once, so
    that no transaction fails half way because another process wrote in between.
    """

    begin: str
    lock_s: float
    statement_s: float
    read_only: bool = False
    foreign_keys: bool = True
    pool_size: int = 1
    max_bytes: int | None = None


def parse_url(url: str) -> URL:
    """`sqlite:////path` or `postgresql://…`. Raises InvalidRequest, without showing the URL: it may hold a password."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InvalidRequest("The database URL is malformed: use sqlite:////path or postgresql://….") from None
    match parsed.get_backend_name():
        case "sqlite":
            if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
                raise InvalidRequest("The records need an SQLite file: use sqlite:////path.")
            return parsed.set(drivername="sqlite+pysqlite")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise InvalidRequest(f"{other!r} is not a database wsmgr knows: use sqlite:////path or postgresql://….")


def create_file(path: Path) -> None:
    """Make the file 0600, in a directory made 0700 where there is none; SQLite gives its mode to the files beside it.

    Raises OSError.
    """
    for folder in reversed([one for one in path.parents if not one.exists()]):
        # One by one: `parents=True` gives the mode to the last one only.
        folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
    # The name of the file must survive a power loss too.
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def connect(url: URL, access: Access) -> Engine:
    """An engine for connections of this kind. Nothing is connected yet."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, access)
    return _postgresql(url, access)


def _sqlite(url: URL, access: Access) -> Engine:
    engine = create_engine(
        url,
        pool_size=access.pool_size,
        max_overflow=0,
        pool_timeout=access.statement_s,
        connect_args={"timeout": access.lock_s},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        # Python's own idea of when a transaction begins is off; `begin` below says it.
        connection.isolation_level = None
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA foreign_keys={'ON' if access.foreign_keys else 'OFF'}")
        connection.execute(f"PRAGMA query_only={'ON' if access.read_only else 'OFF'}")
        connection.execute(f"PRAGMA journal_size_limit={64 * 1024 * 1024}")
        if access.max_bytes is not None:
            connection.execute(f"PRAGMA max_page_count={max(1, access.max_bytes // _PAGE_BYTES)}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(access.begin)

    return engine


def _postgresql(url: URL, access: Access) -> Engine:
    milliseconds = math.ceil(access.statement_s * 1000)
    bounds = {
        # libpq counts whole seconds, and takes 1 for 2.
        "connect_timeout": str(max(2, math.ceil(access.statement_s))),
        "tcp_user_timeout": str(milliseconds),
        "keepalives_idle": "10",
        "application_name": "wsmgr",
    }
    engine = create_engine(
        url,
        pool_size=access.pool_size,
        max_overflow=0,
        pool_timeout=access.statement_s,
        connect_args={name: value for name, value in bounds.items() if name not in url.query},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        # Of the session and not of the server's settings: an acknowledged write must survive whatever those say.
        cursor.execute("SET synchronous_commit = on")
        cursor.execute(f"SET statement_timeout = {milliseconds}")
        cursor.execute(f"SET lock_timeout = {math.ceil(access.lock_s * 1000)}")
        cursor.execute(f"SET idle_in_transaction_session_timeout = {2 * milliseconds}")
        cursor.execute(f"SET default_transaction_read_only = {'on' if access.read_only else 'off'}")
        cursor.close()
        connection.commit()

    return engine
