"""What workspaces and owners used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None

_GAUGES = (
    "cpu_percent",
    "cpu_of_limit_percent",
    "memory_mb",
    "memory_limit_mb",
    "network_in_bytes_per_s",
    "network_out_bytes_per_s",
    "pids",
    "throttled_percent",
    "scratch_mb",
)


def upgrade() -> None:
    """Towards this schema."""
    _points()
    _owner_usage()
    _marks()


def _key() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _points() -> None:
    op.create_table(
        "usage_points",
        sa.Column("workspace", _key(), nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        *(
            sa.Column(f"{gauge}_{part}", sa.Float(), nullable=True)
            for gauge in _GAUGES
            for part in ("min", "avg", "max")
        ),
        sa.Column("oom_kills", sa.Integer(), nullable=False),
        sa.Column("executions", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("restarts", sa.Integer(), nullable=False),
        sa.Column("durations", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "at", name="pk_usage_points"),
    )
    op.create_index("ix_usage_points_at", "usage_points", ["at"])


def _owner_usage() -> None:
    op.create_table(
        "owner_usage",
        sa.Column("owner", _key(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cpu_s", sa.Float(), nullable=False),
        sa.Column("memory_mb_s", sa.Float(), nullable=False),
        sa.Column("network_in_bytes", sa.BigInteger(), nullable=False),
        sa.Column("network_out_bytes", sa.BigInteger(), nullable=False),
        sa.Column("executions", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_owner_usage"),
    )


def _marks() -> None:
    op.create_table(
        "usage_marks",
        sa.Column("workspace", _key(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("incarnation", sa.String(), nullable=False),
        sa.Column("cpu_s", sa.Float(), nullable=False),
        sa.Column("network_in_bytes", sa.BigInteger(), nullable=False),
        sa.Column("network_out_bytes", sa.BigInteger(), nullable=False),
        sa.Column("total_in_bytes", sa.BigInteger(), nullable=False),
        sa.Column("total_out_bytes", sa.BigInteger(), nullable=False),
        sa.Column("total_oom_kills", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", name="pk_usage_marks"),
    )
    op.create_index("ix_usage_marks_at", "usage_marks", ["at"])
