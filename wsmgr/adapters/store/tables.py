"""The tables. Their rows never leave this package: `rows` maps them to the dataclasses of core."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

KEY = String().with_variant(String(collation="C"), "postgresql")
"""Text that is compared: by bytes on every database, whatever the locale of a PostgreSQL server is."""

SERIAL = BigInteger().with_variant(Integer(), "sqlite")
"""A growing number: only a plain INTEGER can be AUTOINCREMENT in SQLite, where it has 64 bits anyway."""

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


class Row(SQLModel):
    """A base of our own, so that the metadata holds these tables and nothing else. Times are UTC."""

    metadata: ClassVar[MetaData] = METADATA


class OwnerRow(Row, table=True):
    """What was chosen for an owner. `overrides` is a JSON text, NULL for none."""

    __tablename__ = "owners"

    key: str = Field(primary_key=True, sa_type=KEY)
    plan: str | None = None
    isolation: str | None = None
    fallback: bool | None = None
    overrides: str | None = Field(default=None, sa_type=Text)


class WorkspaceRow(Row, table=True):
    """The intent for a workspace. The owner may have no row: it has one only when something was chosen for it."""

    __tablename__ = "workspaces"

    id: str = Field(primary_key=True, sa_type=KEY)
    owner: str = Field(index=True, sa_type=KEY)
    desired: str
    generation: int
    created_at: datetime
    last_activity_at: datetime
    failure: str | None = Field(default=None, sa_type=Text)
    volume: str | None = Field(default=None, unique=True, index=True, sa_type=KEY)


class SlotRow(Row, table=True):
    """Which small number a workspace holds."""

    __tablename__ = "slots"
    __table_args__ = (ForeignKeyConstraint(["workspace"], ["workspaces.id"], ondelete="CASCADE"),)

    slot: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    workspace: str = Field(unique=True, sa_type=KEY)


class PluginVersionRow(Row, table=True):
    """The content of one version. `serial` grows with every put of the plugin. `code` is UTF-8, as bytes because
    PostgreSQL's text refuses NUL."""

    __tablename__ = "plugin_versions"

    owner: str = Field(primary_key=True, sa_type=KEY)
    slug: str = Field(primary_key=True, sa_type=KEY)
    version: str = Field(primary_key=True, sa_type=KEY)
    language: str
    size: int
    serial: int
    created_at: datetime
    created_by: str
    # Last: SQLite finds the small columns without walking over megabytes of code.
    code: bytes = Field(sa_type=LargeBinary)


class PluginRow(Row, table=True):
    """Which version of a plugin is current."""

    __tablename__ = "plugins"
    __table_args__ = (
        ForeignKeyConstraint(
            ["owner", "slug", "current_version"],
            ["plugin_versions.owner", "plugin_versions.slug", "plugin_versions.version"],
        ),
    )

    owner: str = Field(primary_key=True, sa_type=KEY)
    slug: str = Field(primary_key=True, sa_type=KEY)
    current_version: str = Field(sa_type=KEY)


class ExecutionRow(Row, table=True):
    """One execution. `duration_ms` NULL: there is no outcome. `output`, `failure`, `logs` are JSON texts; NULL stands
    for null, no failure and no lines. Records outlive their workspace."""

    __tablename__ = "executions"
    __table_args__ = (
        Index(None, "workspace", "created_at", "id"),
        # For what deletes old ones.
        Index(None, "created_at"),
        # Small whatever the table's size: after a crash the running ones are found at once.
        Index(
            "ix_executions_running",
            "id",
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: str = Field(primary_key=True, sa_type=KEY)
    workspace: str = Field(sa_type=KEY)
    plugin: str
    version: str
    state: str
    isolation: str
    degraded: bool
    cold_start: bool
    created_at: datetime
    queue_ms: float
    start_ms: float
    duration_ms: float | None
    fingerprint: str
    logs_truncated: bool
    failure: str | None = Field(sa_type=Text)
    logs: str | None = Field(sa_type=Text)
    output: str | None = Field(sa_type=Text)


class QueuedCallRow(Row, table=True):
    """What a queued execution is to run, from when it is queued until it is over. `serial`: the order."""

    __tablename__ = "queued_calls"
    __table_args__ = (
        ForeignKeyConstraint(["execution"], ["executions.id"], ondelete="CASCADE"),
        UniqueConstraint("execution"),
        {"sqlite_autoincrement": True},
    )

    serial: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    execution: str = Field(sa_type=KEY)
    call: bytes = Field(sa_type=LargeBinary)


class CallbackRow(Row, table=True):
    """Who is to be told how an execution ended."""

    __tablename__ = "callbacks"
    __table_args__ = (ForeignKeyConstraint(["execution"], ["executions.id"], ondelete="CASCADE"),)

    execution: str = Field(primary_key=True, sa_type=KEY)
    url: str = Field(sa_type=Text)


class EventRow(Row, table=True):
    """The audit trail; `before` and `after` are JSON texts. AUTOINCREMENT: an id is not given again after the newest
    rows were deleted."""

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "workspace", "id"),
        Index(None, "actor", "id"),
        Index(None, "action", "id"),
        Index(None, "at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    at: datetime
    actor: str
    action: str
    reason: str = Field(sa_type=Text)
    workspace: str | None = Field(sa_type=KEY)
    before: str | None = Field(default=None, sa_type=Text)
    after: str | None = Field(default=None, sa_type=Text)


class AlertRow(Row, table=True):
    """An alert. Of each cause at most one is open. `raised_told_at`, `resolved_told_at`: when the receiver of alerts
    was told, or when that was given up."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "uq_alerts_open",
            "cause",
            unique=True,
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    cause: str = Field(sa_type=KEY)
    severity: str
    sentence: str = Field(sa_type=Text)
    workspace: str | None = Field(sa_type=KEY)
    raised_at: datetime
    resolved_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    raised_told_at: datetime | None = None
    resolved_told_at: datetime | None = None


class TokenRow(Row, table=True):
    """A bearer token: `digest` is the sha256 of its secret, in hexadecimal."""

    __tablename__ = "tokens"

    name: str = Field(primary_key=True, sa_type=KEY)
    role: str
    created_at: datetime
    digest: str


OWNERS = METADATA.tables["owners"]
WORKSPACES = METADATA.tables["workspaces"]
SLOTS = METADATA.tables["slots"]
PLUGINS = METADATA.tables["plugins"]
PLUGIN_VERSIONS = METADATA.tables["plugin_versions"]
EXECUTIONS = METADATA.tables["executions"]
QUEUED_CALLS = METADATA.tables["queued_calls"]
CALLBACKS = METADATA.tables["callbacks"]
EVENTS = METADATA.tables["events"]
ALERTS = METADATA.tables["alerts"]
TOKENS = METADATA.tables["tokens"]
