"""Which columns fit, and what stands in them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.client import canned
from tests.tui import scenes
from tests.tui.model.rows import row, rows
from tui.model.cell import status_cell
from tui.model.columns import COLUMNS, layout
from tui.model.format import fit
from tui.model.row import Row, heat, row_of
from wsmgr.wire.names import Status


@given(st.integers(30, 300))
def test_columns_fill_the_width_and_never_pass_it(width: int) -> None:
    """Id and status are always there."""
    found = layout(width)
    assert sum(column.width + 1 for _, column in found) <= max(width, 28)
    assert [one.key for one, _ in found][:2] == ["id", "status"]
    assert all(column.width >= one.width for one, column in found)
    if width >= 80:
        assert sum(column.width + 1 for _, column in found) == width


def test_at_80_columns_all_that_matters_is_there() -> None:
    """And at 160 all of it."""
    assert {"id", "status", "plan", "cpu", "mem", "exec", "up", "idle"} <= {one.key for one, _ in layout(77)}
    assert [one.key for one, _ in layout(160)] == [one.key for one in COLUMNS]


@given(rows(), st.integers(30, 200), st.floats(0, 2e9))
def test_every_row_can_be_shown_at_every_width(one: Row, width: int, now: float) -> None:
    """A cell is one printable line, and each column is as wide as it says."""
    for column, laid in layout(width):
        cell = column.cell(one, now, laid.width)
        assert cell.text.isprintable()
        assert cell_len(fit(cell.text, laid.width)) == laid.width


@pytest.mark.parametrize(("share", "name"), [(None, ""), (0.5, ""), (0.7, "warm"), (0.9, "hot"), (2.0, "hot")])
def test_figures_near_their_limit_are_marked(share: float | None, name: str) -> None:
    """From 70 % and from 90 % on."""
    assert heat(share) == name


@pytest.mark.parametrize("status", ["CREATING", "RUNNING", "PAUSED", "STOPPED", "ERROR"])
def test_a_status_is_a_glyph_a_word_and_a_colour(status: Status) -> None:
    """Never a colour alone; and no two share a glyph."""
    cell = status_cell(status)
    assert cell.text[2:] == status
    assert not cell.text[0].isalnum()
    assert cell.style
    all_of_them = ("CREATING", "RUNNING", "PAUSED", "STOPPED", "ERROR")
    others = {status_cell(one).text[0] for one in all_of_them if one != status}
    assert cell.text[0] not in others


def test_a_status_of_a_newer_daemon_is_shown_as_it_is() -> None:
    """And does not end the program."""
    assert status_cell("FROZEN").text == "? FROZEN"


def test_a_row_of_a_workspace() -> None:
    """Moments, so that ages need no new row; figures of what does not run are not shown."""
    one = row_of(scenes.workspace("user:alice", number=1), received_at=0.0)
    seen = canned.AT.timestamp()
    assert (one.started_at, one.idle_since, one.stops_at) == (seen - 660, seen - 15, seen + 45)
    assert one.unenforced == ("memory",)
    assert one.owner == "user:alice"
    stopped = row_of(scenes.workspace("user:alice", "STOPPED", number=1), received_at=0.0)
    assert (stopped.cpu_percent, stopped.memory_mb, stopped.started_at, stopped.unenforced) == (None, None, None, ())


def test_a_daemon_that_does_not_say_when_it_looked() -> None:
    """Then it was when the row came."""
    told = canned.workspace().model_copy(update={"observed_at": None, "idle_seconds": 5.0})
    assert row_of(told, received_at=1_000.0).idle_since == 995
    late = told.model_copy(update={"observed_at": canned.AT + timedelta(seconds=1)})
    assert row_of(late, received_at=0.0).idle_since == canned.AT.timestamp() - 4


def test_marks_of_heat_in_the_table() -> None:
    """The figure itself bears the style."""
    full = row(memory_mb=126.0, memory_limit_mb=128.0)
    cells = {one.key: one.cell(full, 0.0, laid.width) for one, laid in layout(160)}
    assert cells["mem"].style == "hot"
    assert "126M/128M" in cells["mem"].text
