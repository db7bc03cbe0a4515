"""Indexes by which old records are found."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Towards this schema."""
    op.create_index("ix_executions_created_at", "executions", ["created_at"])
    op.create_index("ix_events_at", "events", ["at"])
