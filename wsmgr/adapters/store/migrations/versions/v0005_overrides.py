"""Limits of an owner that differ from its plan's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Towards this schema."""
    op.add_column("owners", sa.Column("overrides", sa.Text(), nullable=True))
