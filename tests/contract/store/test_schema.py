"""Migrations, the files of SQLite, and databases that cannot be used."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from tests.contract.store.locking import execute
from tests.contract.store.records import ALICE, NOON, source
from wsmgr.adapters.store import SqlStore
from wsmgr.adapters.store.connect import Access, connect, parse_url
from wsmgr.adapters.store.tables import METADATA
from wsmgr.core.errors import InvalidRequest, StoreUnavailable

HEAD = "0013"


def differences(url: str) -> list[object]:
    """What Alembic would change in the database to make it agree with the tables."""
    engine = connect(parse_url(url), Access("BEGIN", 5, 5))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found = list(compare_metadata(context, METADATA))
    engine.dispose()
    return found


async def test_migrations_make_the_tables(sql_store: SqlStore, url: str) -> None:
    """Nothing is to be changed after all of them; an index that is missing would be seen."""
    await sql_store.check()
    assert differences(url) == []
    execute(url, "DROP INDEX ix_executions_running")
    assert len(differences(url)) == 1


async def test_opening_again_changes_nothing(sql_store: SqlStore, url: str) -> None:
    """A second store on the same database sees what the first one wrote."""
    put = await sql_store.put_version(ALICE, source("x"), NOON, "uid:0")
    other = SqlStore(url)
    await other.open()
    await other.open()
    assert await other.current_plugins(ALICE) == [put]
    await other.close()


async def test_a_database_of_a_newer_wsmgr_is_refused(url: str) -> None:
    """With a sentence that names both schemas, and without touching it; its own schema is taken."""
    store = SqlStore(url)
    await store.open()
    await store.close()
    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreUnavailable, match=f"schema 9999 of a newer wsmgr; this one knows up to {HEAD}"):
        await store.open()
    execute(url, f"UPDATE alembic_version SET version_num = '{HEAD}'")  # noqa: S608  # a constant of this file
    await store.open()
    await store.close()


async def test_the_files_are_private(tmp_path: Path) -> None:
    """0600 in 0700, whatever the umask; also a file that was wider before."""
    folder = tmp_path / "deep" / "records"
    store = SqlStore(f"sqlite:///{folder}/wsmgr.db")
    mask = os.umask(0)
    try:
        await store.open()
    finally:
        os.umask(mask)
    await store.put_version(ALICE, source("x"), NOON, "uid:0")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert set(modes) >= {"wsmgr.db", "wsmgr.db-wal"}
    assert set(modes.values()) == {0o600}
    assert [stat.S_IMODE(one.stat().st_mode) for one in (folder, folder.parent)] == [0o700, 0o700]
    await store.close()
    (folder / "wsmgr.db").chmod(0o644)
    await store.open()
    assert stat.S_IMODE((folder / "wsmgr.db").stat().st_mode) == 0o600
    await store.close()


async def test_every_connection_of_sqlite_is_set_up(tmp_path: Path) -> None:
    """Write-ahead log, full synchronisation, foreign keys; and readers cannot write."""
    store = SqlStore(f"sqlite:///{tmp_path}/wsmgr.db")
    await store.open()
    assert store._writer is not None
    assert store._readers is not None

    def pragmas(connection: object) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "query_only")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names]  # type: ignore[attr-defined]

    assert await store._writer.do(pragmas) == ["wal", 2, 1, 0]
    assert await store._readers.run(pragmas) == ["wal", 2, 1, 1]
    await store.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """And left as it is."""
    path = tmp_path / "wsmgr.db"
    path.write_bytes(b"not a database, " * 1000)
    with pytest.raises(StoreUnavailable, match="not an SQLite database"):
        await SqlStore(f"sqlite:///{path}").open()
    assert path.read_bytes() == b"not a database, " * 1000


async def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """Its parent is a file."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="cannot be used: Not a directory"):
        await SqlStore(f"sqlite:///{tmp_path}/file/records/wsmgr.db").open()


async def test_a_server_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The sentence holds the driver's reason and no password."""
    store = SqlStore(f"postgresql://wsmgr:geheim@/records?host={tmp_path}", open_timeout_s=5)
    with pytest.raises(StoreUnavailable, match="does not answer") as refused:
        await store.open()
    assert "geheim" not in refused.value.sentence


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "nonsense", "postgresql:/x:y:z"])
def test_a_url_that_names_no_database_is_refused(url: str) -> None:
    """At once, and without repeating it."""
    with pytest.raises(InvalidRequest):
        SqlStore(url)
