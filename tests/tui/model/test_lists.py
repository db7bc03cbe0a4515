"""Records as lines, as texts, and what a filter sees in them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client import canned
from tests.tui import scenes
from tui.model.lists import (
    ALERTS,
    CAPABILITIES,
    EVENTS,
    EXECUTIONS,
    PLUGINS,
    Listed,
    alert_state,
    change_of,
    execution_text,
    full_text,
)
from tui.model.logs import KEPT, Tail
from tui.model.series import readout, restarts_in, series_of, ticks
from wsmgr.wire.execute import LogEntry

EACH: list[tuple[Listed[Any], Any]] = [
    (EVENTS, canned.event(1)),
    (EXECUTIONS, canned.execution("x", "failed")),
    (PLUGINS, canned.version()),
    (ALERTS, canned.alert(7)),
    (CAPABILITIES, canned.capability()),
]


@pytest.mark.parametrize(("listed", "item"), EACH)
@pytest.mark.parametrize("width", [40, 79, 119, 199])
def test_every_record_fits_every_width(listed: Listed[Any], item: Any, width: int) -> None:
    """And some columns are there at any."""
    found = listed.layout(width)
    assert sum(column.width + 1 for _, column in found) <= max(width, 60)
    assert len(found) >= 3
    assert all(one.cell(item, scenes.NOW).text.isprintable() for one, _ in found)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True), ("stopped", True), ("ALICE", True), ("actor:uid", True), ("action:stop target:alice", True),
        ("target:bob", False), ("!target:bob", True), ("!alice", False),
        ("reason:asked", True), ("nothing:here", False),
    ],
)  # fmt: skip
def test_the_filter_of_events(text: str, holds: bool) -> None:
    """By actor, action, target and text."""
    assert EVENTS.matches(canned.event(1), text) is holds


def test_what_an_event_changed() -> None:
    """Before and after."""
    assert change_of(canned.event(1)) == "desired: RUNNING → STOPPED"
    assert change_of(canned.event(1).model_copy(update={"before": None})) == ""


def test_the_states_of_an_alert() -> None:
    """Open, known to somebody, over."""
    assert alert_state(canned.alert(1)) == "open"
    assert alert_state(canned.alert(1, by="uid:0")) == "known"
    assert alert_state(canned.alert(1).model_copy(update={"resolved_at": canned.AT})) == "over"


def test_an_execution_in_full() -> None:
    """Timing, output, error and logs; nothing in it moves the cursor."""
    one = canned.execution("x", "failed").model_copy(
        update={"output": {"a": [1, "\x1b[31m"]}, "logs": [LogEntry(t=1.0, level="info", message="said \x07")]}
    )
    text = execution_text(one)
    assert "queue 0.00ms · start 130ms · own 2.50ms" in text
    assert "Exception: no" in text
    assert "info   said \\x07" in text
    assert all(line.isprintable() for line in text.split("\n"))


def test_a_record_in_full_is_its_json() -> None:
    """With the names of the API."""
    assert '"createdBy": "uid:0"' in full_text(canned.version())


def test_a_followed_log_joins_overlapping_pages() -> None:
    """Each line once."""
    tail = Tail()
    assert [tail.take(page) for page in (["a", "b", "c"], ["b", "c", "d"], ["b", "c", "d"])] == [3, 1, 0]
    assert tail.lines == ["a", "b", "c", "d"]
    assert not tail.missed


def test_lines_that_came_too_fast_are_said_to_be_missing() -> None:
    """Nothing overlaps."""
    tail = Tail()
    tail.take(["a", "b"])
    tail.take(["x", "y"])
    assert tail.missed
    assert tail.numbered()[2:] == [(2, "x"), (3, "y")]


@given(st.lists(st.integers(0, 3).map(str), max_size=60), st.integers(1, 20), st.data())
def test_following_loses_and_repeats_nothing_while_pages_overlap(lines: list[str], page: int, data: Any) -> None:
    """As long as less than a page comes between two looks; equal lines in a row cannot be told from each other, so
    they are numbered here."""
    numbered = [f"{at} {line}" for at, line in enumerate(lines)]
    tail, seen = Tail(), 0
    while seen < len(numbered):
        seen = min(seen + data.draw(st.integers(1, page)), len(numbered))
        tail.take(numbered[max(seen - page - 1, 0) : seen])
    assert tail.lines == numbered


def test_a_log_is_kept_within_bounds() -> None:
    """And its lines keep their numbers."""
    tail = Tail()
    tail.take([str(number) for number in range(KEPT + 5)])
    assert len(tail.lines) == KEPT
    assert tail.numbered()[0] == (5, "5")


def test_series_break_at_gaps_and_know_restarts() -> None:
    """The hole of the scene, and the restart after it."""
    usage = scenes.usage("1h")
    found = series_of(usage)
    assert [one.title for one in found] == ["CPU", "Memory", "Network/s", "Executions/min"]
    assert all(any(point.value is None for point in line.points) for one in found for line in one.lines)
    assert found[0].limit == pytest.approx(25)
    assert found[1].limit == 128 * 1.4
    assert len(restarts_in(usage)) == 1
    at, labels = ticks(usage.from_, usage.to)
    assert (at[0], at[-1]) == (usage.from_.timestamp(), usage.to.timestamp())
    assert len(labels) == 5


def test_nothing_measured() -> None:
    """No line, and no failure."""
    empty = canned.usage().model_copy(update={"points": []})
    assert not any(one.measured for one in series_of(empty))
    assert series_of(empty)[0].top == 0.0


def test_the_sentence_of_a_moment() -> None:
    """With what is known."""
    usage = canned.usage()
    assert "CPU 2.0% (to 4.0%) · mem 2.0M (to 4.0M) · ↓- ↑- · 3 calls, 0 errors · p50 2.00ms p95 9.50ms" in readout(
        usage, 0
    )
    assert readout(usage, 1).endswith("1 restart")
    assert timedelta(minutes=5) == usage.points[1].at - usage.points[0].at
