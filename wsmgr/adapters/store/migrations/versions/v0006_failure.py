"""What a workspace failed of, and indexes of the audit trail by actor and action."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Towards this schema."""
    op.add_column("workspaces", sa.Column("failure", sa.Text(), nullable=True))
    op.create_index("ix_events_actor_id", "events", ["actor", "id"])
    op.create_index("ix_events_action_id", "events", ["action", "id"])
