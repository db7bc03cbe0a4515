"""Rows for tests of the model."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tui.model.row import Row


def row(key: str = "user:alice", status: str = "RUNNING", **more: Any) -> Row:
    """One row."""
    return Row(id=key, status=status, **more)


FIGURE = st.none() | st.floats(0, 1e6, allow_nan=False)
KEYS = st.from_regex(r"(user|org):[a-z0-9]{1,4}(~[a-z]{1,2})?", fullmatch=True)
STATUSES = st.sampled_from(["RUNNING", "STOPPED", "PAUSED", "ERROR", "CREATING"])


def rows(keys: st.SearchStrategy[str] = KEYS) -> st.SearchStrategy[Row]:
    """Any row."""
    return st.builds(
        Row,
        id=keys,
        status=STATUSES,
        plan=st.sampled_from(["", "FREE", "PRO"]),
        reason=st.text(max_size=8),
        cpu_percent=FIGURE,
        memory_mb=FIGURE,
        memory_limit_mb=st.sampled_from([None, 128.0, 512.0]),
        received_rate=FIGURE,
        restarts=st.integers(0, 5),
        healthy=st.sampled_from([None, True, False]),
        started_at=st.none() | st.integers(0, 10**9),
        pauses_at=st.none() | st.integers(0, 10**9),
        stops_at=st.none() | st.integers(0, 10**9),
    )
