"""Alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Towards this schema."""
    key = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    time = sa.DateTime(timezone=True)
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cause", key, nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("workspace", key, nullable=True),
        sa.Column("raised_at", time, nullable=False),
        sa.Column("resolved_at", time, nullable=True),
        sa.Column("acknowledged_at", time, nullable=True),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("raised_told_at", time, nullable=True),
        sa.Column("resolved_told_at", time, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        sqlite_autoincrement=True,
    )
    is_open = sa.text("resolved_at IS NULL")
    op.create_index("uq_alerts_open", "alerts", ["cause"], unique=True, sqlite_where=is_open, postgresql_where=is_open)
