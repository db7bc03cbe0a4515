"""The records, in SQLite or PostgreSQL: the one place of wsmgr that knows SQL."""

from __future__ import annotations

from wsmgr.adapters.store.sql import SqlStore

__all__ = ["SqlStore"]
