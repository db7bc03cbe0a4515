"""Configuration and secrets of plugins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Towards this schema."""
    op.create_table(
        "plugin_configs",
        *_of_plugin("plugin_configs"),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "slug", name="pk_plugin_configs"),
    )
    op.create_table(
        "plugin_secrets",
        *_of_plugin("plugin_secrets"),
        sa.Column("name", _key(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "slug", "name", name="pk_plugin_secrets"),
    )


def _of_plugin(table: str) -> list[sa.Column[str] | sa.ForeignKeyConstraint]:
    return [
        sa.Column("owner", _key(), nullable=False),
        sa.Column("slug", _key(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner", "slug"],
            ["plugins.owner", "plugins.slug"],
            name=f"fk_{table}_owner_slug",
            ondelete="CASCADE",
        ),
    ]


def _key() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")
