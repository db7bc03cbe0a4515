"""Calls that wait to be started, and who is to be told of their end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Towards this schema."""
    op.create_table(
        "queued_calls",
        sa.Column("serial", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("execution", _key(), nullable=False),
        sa.Column("call", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("serial", name="pk_queued_calls"),
        sa.UniqueConstraint("execution", name="uq_queued_calls_execution"),
        sa.ForeignKeyConstraint(["execution"], ["executions.id"], name="fk_queued_calls_execution", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "callbacks",
        sa.Column("execution", _key(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("execution", name="pk_callbacks"),
        sa.ForeignKeyConstraint(["execution"], ["executions.id"], name="fk_callbacks_execution", ondelete="CASCADE"),
    )


def _key() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")
