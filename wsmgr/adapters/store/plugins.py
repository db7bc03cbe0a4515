"""The statements about plugins and their versions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Select, delete, func, select

from wsmgr.adapters.store.documents import plain_text
from wsmgr.adapters.store.rows import source_from, version_from
from wsmgr.adapters.store.tables import PLUGIN_VERSIONS, PLUGINS
from wsmgr.adapters.store.upsert import insert, upsert
from wsmgr.core.bundle import packed
from wsmgr.core.ids import OwnerKey, Slug, Version
from wsmgr.core.plugin import PluginSource, PluginVersion

_V = PLUGIN_VERSIONS.c
_P = PLUGINS.c
_SAME_PLUGIN = (_P.owner == _V.owner) & (_P.slug == _V.slug)


def put(connection: Connection, owner: OwnerKey, plugin: PluginSource, now: datetime, by: str) -> PluginVersion:
    """Keep the content if it is new, note who put it last and when, and make it current."""
    bundle = plugin.bundle
    code = plugin.code.encode() if bundle is None else packed(bundle)
    newest = select(func.coalesce(func.max(_V.serial), 0)).where(_V.owner == owner, _V.slug == plugin.slug)
    put_last = {
        "created_at": now,
        "created_by": plain_text(by),
        "serial": connection.execute(newest).scalar_one() + 1,
    }
    statement = insert(connection, PLUGIN_VERSIONS).on_conflict_do_update(
        index_elements=[_V.owner, _V.slug, _V.version], set_=put_last
    )
    connection.execute(
        statement,
        {
            "owner": owner,
            "slug": plugin.slug,
            "version": plugin.version,
            "language": plugin.language.value,
            "size": plugin.size,
            "code": code,
            "bundled": bundle is not None,
            **put_last,
        },
    )
    connection.execute(
        upsert(connection, PLUGINS), {"owner": owner, "slug": plugin.slug, "current_version": plugin.version}
    )
    return PluginVersion(
        owner, plugin.slug, plugin.version, plugin.language, plugin.size, now, str(put_last["created_by"]), current=True
    )


def current_source(connection: Connection, owner: OwnerKey, slug: Slug) -> PluginSource | None:
    """The current version with its code."""
    query = _with_code().join(PLUGINS, _SAME_PLUGIN & (_P.current_version == _V.version))
    row = connection.execute(query.where(_P.owner == owner, _P.slug == slug)).one_or_none()
    return None if row is None else source_from(row)


def source(connection: Connection, owner: OwnerKey, slug: Slug, version: Version) -> PluginSource | None:
    """One version with its code."""
    query = _with_code()
    row = connection.execute(query.where(_V.owner == owner, _V.slug == slug, _V.version == version)).one_or_none()
    return None if row is None else source_from(row)


def current_plugins(connection: Connection, owner: OwnerKey) -> list[PluginVersion]:
    """The current version of each plugin of the owner, by slug."""
    query = _without_code().where(_V.owner == owner, _P.current_version == _V.version).order_by(_V.slug)
    return [version_from(row) for row in connection.execute(query)]


def versions(connection: Connection, owner: OwnerKey, slug: Slug) -> list[PluginVersion]:
    """Those of one plugin, the one put last first."""
    query = _without_code().where(_V.owner == owner, _V.slug == slug).order_by(_V.serial.desc())
    return [version_from(row) for row in connection.execute(query)]


def trim(connection: Connection, owner: OwnerKey, slug: Slug, keep: int) -> int:
    """Remove all but those put last; the current one is always the last. Returns how many."""
    of_plugin = (_V.owner == owner) & (_V.slug == slug)
    newest = select(_V.serial).where(of_plugin).order_by(_V.serial.desc()).limit(keep).subquery()
    oldest_kept = select(func.min(newest.c.serial)).scalar_subquery()
    return connection.execute(delete(PLUGIN_VERSIONS).where(of_plugin, _V.serial < oldest_kept)).rowcount


def remove(connection: Connection, owner: OwnerKey, slug: Slug) -> bool:
    """Delete a plugin and its versions; whether there was one."""
    gone = connection.execute(delete(PLUGINS).where(_P.owner == owner, _P.slug == slug)).rowcount
    connection.execute(delete(PLUGIN_VERSIONS).where(_V.owner == owner, _V.slug == slug))
    return gone > 0


def _with_code() -> Select[tuple[object, ...]]:
    return select(_V.slug, _V.version, _V.language, _V.code, _V.bundled)


def _without_code() -> Select[tuple[object, ...]]:
    columns = [column for column in _V if column.name not in {"code", "bundled"}]
    return select(*columns, _P.current_version).join(PLUGINS, _SAME_PLUGIN)
