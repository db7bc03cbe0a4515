"""Lines of server-sent events to events."""

from __future__ import annotations

import pytest

from wsmgr.client.sse import EventLines


@pytest.mark.parametrize(
    ("lines", "events"),
    [
        (["event: log", "data: 1", ""], [("log", "1")]),
        (["data:1", ""], [("", "1")]),
        (["event: log", "data: 1", "data: 2", ""], [("log", "12")]),
        (["id: 7", "retry: 5", "event: a", "data: x:y", ""], [("a", "x:y")]),
        (["event: empty", "", "data: 1", ""], [("", "1")]),
        ([": a comment", "", "event: a", "data: 1"], []),
    ],
    ids=["named", "no-space", "two-lines", "other-fields", "no-data", "not-ended"],
)
def test_lines_make_events(lines: list[str], events: list[tuple[str, str]]) -> None:
    """An empty line ends one; one without data is none, and leaves nothing behind."""
    reader = EventLines()
    assert [event for line in lines if (event := reader.line(line)) is not None] == events


def test_a_connection_that_broke_leaves_nothing() -> None:
    """What had come of an event is forgotten."""
    reader = EventLines()
    reader.line("event: old")
    reader.line("data: old")
    reader.forget()
    assert reader.line("") is None
