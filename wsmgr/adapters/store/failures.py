"""What went wrong with a database, in one sentence."""

from __future__ import annotations

import sqlite3

import psycopg
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from wsmgr.core.errors import StoreUnavailable

_SQLITE = {
    sqlite3.SQLITE_FULL: "The disk (or the size cap) of the database is full. Free some space; writes then work again.",
    sqlite3.SQLITE_BUSY: "Another process holds the database's write lock for too long. Try again.",
    sqlite3.SQLITE_LOCKED: "Another process holds the database's write lock for too long. Try again.",
    sqlite3.SQLITE_READONLY: "The database file may not be written. Check its owner, its mode and its file system.",
    sqlite3.SQLITE_CANTOPEN: "The database file cannot be opened. Check that its directory exists and may be written.",
    sqlite3.SQLITE_IOERR: "The disk of the database fails or is full. See the kernel's log and the free space.",
    sqlite3.SQLITE_CORRUPT: "The database file is damaged. Put back a copy of it.",
    sqlite3.SQLITE_NOTADB: "The database file is not an SQLite database. Check the path.",
}

_POSTGRESQL = {
    "53100": "The disk of the PostgreSQL server is full. Free some space; writes then work again.",
    "53300": "The PostgreSQL server has no connection to spare.",
    "55P03": "Another session of the PostgreSQL server holds a lock for too long. Try again.",
    "57014": "The PostgreSQL server did not answer in time. Try again.",
    "40P01": "The PostgreSQL server ended a deadlock with another session. Try again.",
    "25006": "The PostgreSQL server takes no writes: it is a standby, or read-only.",
}


def unavailable(error: SQLAlchemyError | OSError) -> StoreUnavailable:
    """The explained form of an error of the database or of its files."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the rest is SQLite's extended code
        if code in _SQLITE:
            return StoreUnavailable(_SQLITE[code])
    if isinstance(cause, psycopg.Error):
        if cause.sqlstate in _POSTGRESQL:
            return StoreUnavailable(_POSTGRESQL[cause.sqlstate])
        if isinstance(error, DBAPIError) and isinstance(cause, psycopg.OperationalError):
            return StoreUnavailable(f"The PostgreSQL server does not answer: {_first_line(cause)}.")
    if isinstance(cause, OSError):
        return StoreUnavailable(f"The files of the database cannot be used: {cause.strerror}.")
    return StoreUnavailable(f"The database refused: {_first_line(cause or error)}.")


def is_stale(error: SQLAlchemyError) -> bool:
    """Whether the connection was gone: a fresh one may work, and what was not committed was not done."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def is_full(error: BaseException | None) -> bool:
    """Whether there is no space for what was written; something smaller, or a deletion, may still be possible."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, psycopg.Error):
        return cause.sqlstate == "53100"
    return isinstance(cause, sqlite3.Error) and cause.sqlite_errorcode == sqlite3.SQLITE_FULL


def spoils_transaction(error: Exception) -> bool:
    """Whether nothing more can be done in this transaction; else only the one write is at fault."""
    return isinstance(error, SQLAlchemyError) and not isinstance(error, IntegrityError | DataError)


def _first_line(error: BaseException) -> str:
    """Drivers append the statement's position and hints on further lines."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
