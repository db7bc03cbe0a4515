"""A database that is right, and every way in which one can be wrong."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.soak.records import audit
from wsmgr.adapters.store.sql import SqlStore
from wsmgr.core.alert import engine_away
from wsmgr.core.ids import OwnerKey, Slug, WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.plugin import Language, PluginSource, version_of
from wsmgr.core.workspace import Desired

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    """With a workspace, a plugin, an alert, and nothing wrong; closed."""
    path = tmp_path / "wsmgr.db"
    store = SqlStore(f"sqlite:///{path}")
    await store.open()
    await store.ensure_workspace(WorkspaceId("user:ann"), Desired.RUNNING, NOW)
    source = PluginSource(Slug("p"), version_of(Language.JAVASCRIPT, "1"), Language.JAVASCRIPT, "1")
    await store.put_version(OwnerKey("user:ann"), source, NOW, "uid:0")
    await store.raise_alert(engine_away(Isolation.CONTAINER, "It is away."), NOW)
    await store.close()
    return path


def change(database: Path, *statements: str) -> None:
    """With nothing that watches over it."""
    with closing(sqlite3.connect(database)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


async def test_one_that_is_right(database: Path) -> None:
    """No sentence."""
    assert list(audit(database)) == []


EXECUTION = (
    "INSERT INTO executions (id, workspace, plugin, version, state, isolation, degraded, cold_start, created_at,"
    " queue_ms, start_ms, duration_ms, fingerprint, logs_truncated)"
    " VALUES ('x', 'user:ann', 'p', 'v', '{}', 'container', 0, 0, '2026-01-01', 0, 0, NULL, 'f', 0)"
)


ALERT_AGAIN = (
    "INSERT INTO alerts (cause, severity, sentence, raised_at) SELECT cause, severity, sentence, raised_at FROM alerts"
)


@pytest.mark.parametrize(("statements", "sentence"), [
    (["DELETE FROM slots"], "The workspace user:ann has no slot."),
    (["DELETE FROM workspaces"], "A slot is held by user:ann, which is gone."),
    (["UPDATE workspaces SET desired = 'ABSENT'"], "The workspace user:ann is still to go."),
    ([EXECUTION.format("running")], "The execution x is still said to be running."),
    ([EXECUTION.format("succeeded")], "x ended without an outcome."),
    (["DELETE FROM plugin_versions"], "The plugin p has no current version."),
    (["DELETE FROM plugins"], "A version of p is there without its plugin."),
    (["DROP INDEX uq_alerts_open", ALERT_AGAIN], "Two alerts are open for engine.away:container."),
])  # fmt: skip
async def test_one_that_is_wrong(database: Path, statements: list[str], sentence: str) -> None:
    """Each way has its sentence."""
    change(database, *statements)
    assert sentence in list(audit(database))


async def test_a_reference_to_nothing(database: Path) -> None:
    """SQLite's own check."""
    change(database, "UPDATE slots SET workspace = 'user:nobody'")
    assert any("points to a row of workspaces that is not there" in one for one in audit(database))


@pytest.mark.parametrize("kept", [4096, 100], ids=["pages", "header"])
def test_one_that_is_damaged(database: Path, kept: int) -> None:
    """Its pages were overwritten, or all of it."""
    size = database.stat().st_size
    with database.open("r+b") as file:
        file.seek(kept)
        file.write(b"\xff" * (size - kept))
    assert any("damaged" in sentence for sentence in audit(database))


@pytest.mark.slow
async def test_one_that_is_locked_or_was_not_closed(database: Path) -> None:
    """Somebody is still at work on it, or died at it."""
    with closing(sqlite3.connect(database)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "is locked after the daemon's end" in next(iter(audit(database)))
        other.execute("ROLLBACK")
    database.with_name("wsmgr.db-journal").write_text("")
    assert any("wsmgr.db-journal" in sentence for sentence in audit(database))
