"""Holds the database of a daemon that has ended against itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

ORPHANS = (
    ("workspaces WHERE id NOT IN (SELECT workspace FROM slots)", "id", "The workspace {} has no slot."),
    ("slots WHERE workspace NOT IN (SELECT id FROM workspaces)", "workspace", "A slot is held by {}, which is gone."),
    ("workspaces WHERE desired NOT IN ('RUNNING', 'STOPPED')", "id", "The workspace {} is still to go."),
    ("executions WHERE state = 'running'", "id", "The execution {} is still said to be running."),
    ("executions WHERE state IN ('succeeded', 'failed') AND duration_ms IS NULL", "id", "{} ended without an outcome."),
    ("plugins WHERE (owner, slug, current_version) NOT IN (SELECT owner, slug, version FROM plugin_versions)", "slug",
     "The plugin {} has no current version."),
    ("plugin_versions WHERE (owner, slug) NOT IN (SELECT owner, slug FROM plugins)", "slug",
     "A version of {} is there without its plugin."),
    ("alerts WHERE resolved_at IS NULL GROUP BY cause HAVING count(*) > 1", "cause", "Two alerts are open for {}."),
)  # fmt: skip
"""What must find nothing, the column that names what it finds, and the sentence for it."""
WAIT_S = 2.0


def audit(database: Path) -> Iterator[str]:
    """What is wrong, in sentences. The daemon must have ended."""
    with closing(sqlite3.connect(database, timeout=WAIT_S)) as connection:
        try:
            # Nobody else may be at work on it, and the lock of one that was killed must be gone.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            yield from _within(connection)
        except sqlite3.OperationalError as error:
            yield f"The database is locked after the daemon's end: {error}."
        except sqlite3.DatabaseError as error:
            yield f"The database is damaged: {error}."
    for beside in ("-wal", "-shm", "-journal"):
        if database.with_name(database.name + beside).exists():
            yield f"The database left {database.name}{beside} behind."


def _within(connection: sqlite3.Connection) -> Iterator[str]:
    for (word,) in connection.execute("PRAGMA integrity_check"):
        if word != "ok":
            yield f"The database is damaged: {word}."
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield f"The row {row} of {table} points to a row of {parent} that is not there."
    for rows, column, sentence in ORPHANS:
        for (name,) in connection.execute(f"SELECT {column} FROM {rows}"):  # noqa: S608  # written above
            yield sentence.format(name)
