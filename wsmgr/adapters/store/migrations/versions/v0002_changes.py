"""What an event has changed: `before` and `after`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Towards this schema."""
    op.add_column("events", sa.Column("before", sa.Text(), nullable=True))
    op.add_column("events", sa.Column("after", sa.Text(), nullable=True))
