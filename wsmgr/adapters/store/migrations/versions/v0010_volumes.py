"""Which volume has the persistent data of a workspace: none is held by two."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Towards this schema."""
    op.add_column("workspaces", sa.Column("volume", KEY, nullable=True))
    op.create_index("ix_workspaces_volume", "workspaces", ["volume"], unique=True)
