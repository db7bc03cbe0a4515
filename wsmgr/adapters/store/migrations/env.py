"""What Alembic runs: the migrations, on the connection and in the transaction that `schema` opened.

They go forward only: the way back is a copy of the database from before.
"""

from __future__ import annotations

from alembic import context

from wsmgr.adapters.store.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    # SQLite changes a table by copying it.
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
