"""The statements about configuration and secrets of plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, Row, delete, select, tuple_, update

from wsmgr.adapters.store.documents import json_text, json_value, plain_text
from wsmgr.adapters.store.settings_tables import PLUGIN_CONFIGS, PLUGIN_SECRETS
from wsmgr.adapters.store.tables import PLUGINS
from wsmgr.adapters.store.upsert import upsert
from wsmgr.core.errors import NotFound
from wsmgr.core.ids import OwnerKey, Slug
from wsmgr.core.plugin_settings import StoredConfig, StoredSettings
from wsmgr.core.secret import SealedSecret, SecretInfo, SecretName, SecretPlace

_C = PLUGIN_CONFIGS.c
_S = PLUGIN_SECRETS.c
_PLACE = (_S.owner, _S.slug, _S.name)


def of_plugin(connection: Connection, owner: OwnerKey, slug: Slug) -> StoredSettings | None:
    """All that one plugin is given; None when there is no such plugin."""
    if not _is_there(connection, owner, slug):
        return None
    config = connection.execute(select(PLUGIN_CONFIGS).where(_C.owner == owner, _C.slug == slug)).one_or_none()
    secrets = connection.execute(select(PLUGIN_SECRETS).where(_S.owner == owner, _S.slug == slug).order_by(_S.name))
    return StoredSettings(None if config is None else _config_from(config), tuple(_secret_from(row) for row in secrets))


def put_config(connection: Connection, owner: OwnerKey, slug: Slug, config: StoredConfig) -> None:
    """Insert or replace. Raises NotFound."""
    _check_plugin(connection, owner, slug)
    values = {
        "owner": owner,
        "slug": slug,
        "config": json_text(dict(config.config)),
        "changed_at": config.changed_at,
        "changed_by": plain_text(config.changed_by),
    }
    connection.execute(upsert(connection, PLUGIN_CONFIGS), values)


def put_secret(connection: Connection, owner: OwnerKey, slug: Slug, secret: SealedSecret) -> None:
    """Insert or replace. Raises NotFound."""
    _check_plugin(connection, owner, slug)
    values = {
        "owner": owner,
        "slug": slug,
        "name": secret.info.name,
        "set_at": secret.info.set_at,
        "set_by": plain_text(secret.info.set_by),
        "sealed": secret.sealed,
    }
    connection.execute(upsert(connection, PLUGIN_SECRETS), values)


def delete_secret(connection: Connection, owner: OwnerKey, slug: Slug, name: SecretName) -> bool:
    """Remove one; whether there was one."""
    where = (_S.owner == owner) & (_S.slug == slug) & (_S.name == name)
    return connection.execute(delete(PLUGIN_SECRETS).where(where)).rowcount > 0


def sealed_secrets(connection: Connection, after: SecretPlace | None, limit: int) -> list[tuple[SecretPlace, bytes]]:
    """A page of the secrets of all plugins."""
    query = select(*_PLACE, _S.sealed).order_by(*_PLACE).limit(limit)
    if after is not None:
        query = query.where(tuple_(*_PLACE) > tuple_(after.owner, after.slug, after.name))
    return [
        (SecretPlace(OwnerKey(row.owner), Slug(row.slug), SecretName(row.name)), bytes(row.sealed))
        for row in connection.execute(query)
    ]


def reseal(connection: Connection, secrets: Sequence[tuple[SecretPlace, bytes, bytes]]) -> int:
    """Replace what is still what it was; how many were."""
    return sum(
        connection.execute(
            update(PLUGIN_SECRETS)
            .where(_S.owner == at.owner, _S.slug == at.slug, _S.name == at.name, _S.sealed == before)
            .values(sealed=after)
        ).rowcount
        for at, before, after in secrets
    )


def forget_secrets(connection: Connection) -> int:
    """Remove all; how many there were."""
    return connection.execute(delete(PLUGIN_SECRETS)).rowcount


def _is_there(connection: Connection, owner: OwnerKey, slug: Slug) -> bool:
    query = select(PLUGINS.c.slug).where(PLUGINS.c.owner == owner, PLUGINS.c.slug == slug)
    return connection.execute(query).one_or_none() is not None


def _check_plugin(connection: Connection, owner: OwnerKey, slug: Slug) -> None:
    if not _is_there(connection, owner, slug):
        raise NotFound(f"{owner!r} has no plugin {slug!r}.")


def _config_from(row: Row[Any]) -> StoredConfig:
    return StoredConfig(cast("Mapping[str, object]", json_value(row.config)), row.changed_at, row.changed_by)


def _secret_from(row: Row[Any]) -> SealedSecret:
    return SealedSecret(SecretInfo(SecretName(row.name), row.set_at, row.set_by), bytes(row.sealed))
