"""The tables of what plugins are given beside their code."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, LargeBinary, Text
from sqlmodel import Field

from wsmgr.adapters.store.tables import KEY, METADATA, Row

_OF_PLUGIN = (["owner", "slug"], ["plugins.owner", "plugins.slug"])


class PluginConfigRow(Row, table=True):
    """The configuration of a plugin: `config` is a JSON text."""

    __tablename__ = "plugin_configs"
    __table_args__ = (ForeignKeyConstraint(*_OF_PLUGIN, ondelete="CASCADE"),)

    owner: str = Field(primary_key=True, sa_type=KEY)
    slug: str = Field(primary_key=True, sa_type=KEY)
    config: str = Field(sa_type=Text)
    changed_at: datetime
    changed_by: str


class PluginSecretRow(Row, table=True):
    """A secret of a plugin. `sealed` is what the vault made of it: it opens with a key that is not here, and for this
    owner, slug and name alone."""

    __tablename__ = "plugin_secrets"
    __table_args__ = (ForeignKeyConstraint(*_OF_PLUGIN, ondelete="CASCADE"),)

    owner: str = Field(primary_key=True, sa_type=KEY)
    slug: str = Field(primary_key=True, sa_type=KEY)
    name: str = Field(primary_key=True, sa_type=KEY)
    set_at: datetime
    set_by: str
    sealed: bytes = Field(sa_type=LargeBinary)


PLUGIN_CONFIGS = METADATA.tables["plugin_configs"]
PLUGIN_SECRETS = METADATA.tables["plugin_secrets"]
