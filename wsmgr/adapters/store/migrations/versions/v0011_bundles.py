"""Plugins of several files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Towards this schema."""
    op.add_column("plugin_versions", sa.Column("bundled", sa.Boolean(), nullable=False, server_default=sa.false()))
