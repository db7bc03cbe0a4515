"""What an execution was given, where it is small."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Towards this schema."""
    op.add_column("executions", sa.Column("input", sa.Text(), nullable=True))
