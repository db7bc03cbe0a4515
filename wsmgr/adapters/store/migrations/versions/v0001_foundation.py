"""Owners, workspaces and their slots, plugins and their versions, executions, events, tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Towards this schema."""
    _owners_and_workspaces()
    _plugins()
    _executions()
    _events_and_tokens()


def _key() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _time() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _owners_and_workspaces() -> None:
    op.create_table(
        "owners",
        sa.Column("key", _key(), nullable=False),
        sa.Column("plan", sa.String(), nullable=True),
        sa.Column("isolation", sa.String(), nullable=True),
        sa.Column("fallback", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_owners"),
    )
    op.create_table(
        "workspaces",
        sa.Column("id", _key(), nullable=False),
        sa.Column("owner", _key(), nullable=False),
        sa.Column("desired", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("last_activity_at", _time(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
    )
    op.create_index("ix_workspaces_owner", "workspaces", ["owner"])
    op.create_table(
        "slots",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("workspace", _key(), nullable=False),
        sa.PrimaryKeyConstraint("slot", name="pk_slots"),
        sa.ForeignKeyConstraint(["workspace"], ["workspaces.id"], name="fk_slots_workspace", ondelete="CASCADE"),
        sa.UniqueConstraint("workspace", name="uq_slots_workspace"),
    )


def _plugins() -> None:
    op.create_table(
        "plugin_versions",
        sa.Column("owner", _key(), nullable=False),
        sa.Column("slug", _key(), nullable=False),
        sa.Column("version", _key(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "slug", "version", name="pk_plugin_versions"),
    )
    op.create_table(
        "plugins",
        sa.Column("owner", _key(), nullable=False),
        sa.Column("slug", _key(), nullable=False),
        sa.Column("current_version", _key(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "slug", name="pk_plugins"),
        sa.ForeignKeyConstraint(
            ["owner", "slug", "current_version"],
            ["plugin_versions.owner", "plugin_versions.slug", "plugin_versions.version"],
            name="fk_plugins_owner_slug_current_version",
        ),
    )


def _executions() -> None:
    op.create_table(
        "executions",
        sa.Column("id", _key(), nullable=False),
        sa.Column("workspace", _key(), nullable=False),
        sa.Column("plugin", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("isolation", sa.String(), nullable=False),
        sa.Column("degraded", sa.Boolean(), nullable=False),
        sa.Column("cold_start", sa.Boolean(), nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("queue_ms", sa.Float(), nullable=False),
        sa.Column("start_ms", sa.Float(), nullable=False),
        sa.Column("duration_ms", sa.Float(), nullable=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("logs_truncated", sa.Boolean(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("logs", sa.Text(), nullable=True),
        sa.Column("output", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_executions"),
    )
    op.create_index("ix_executions_workspace_created_at_id", "executions", ["workspace", "created_at", "id"])
    running = sa.text("state = 'running'")
    op.create_index("ix_executions_running", "executions", ["id"], sqlite_where=running, postgresql_where=running)


def _events_and_tokens() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", _time(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("workspace", _key(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_workspace_id", "events", ["workspace", "id"])
    op.create_table(
        "tokens",
        sa.Column("name", _key(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_tokens"),
    )
