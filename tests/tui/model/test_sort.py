"""The order of rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.model.rows import row, rows
from tui.model.columns import SORT_KEYS
from tui.model.row import Row
from tui.model.sort import VALUES, Sort


def test_every_column_can_be_sorted_by() -> None:
    """The keys are those of the columns."""
    assert set(SORT_KEYS) == set(VALUES)


def test_figures_in_ids_count_as_figures() -> None:
    """user9 before user10."""
    found = Sort("id").apply([row("user:u10"), row("user:u9"), row("org:z"), row("user:u9~b")])
    assert [one.id for one in found] == ["org:z", "user:u9", "user:u9~b", "user:u10"]


@pytest.mark.parametrize("descending", [False, True])
def test_what_is_not_known_comes_last(descending: bool) -> None:
    """Both ways."""
    some = [row("user:a"), row("user:b", cpu_percent=1.0), row("user:c", cpu_percent=9.0)]
    known = ["user:c", "user:b"] if descending else ["user:b", "user:c"]
    assert [one.id for one in Sort("cpu", descending).apply(some)] == [*known, "user:a"]


def test_errors_come_first_by_status() -> None:
    """What needs an operator stands on top."""
    found = Sort("status").apply([row("user:a", "STOPPED"), row("user:b", "RUNNING"), row("user:c", "ERROR")])
    assert [one.status for one in found] == ["ERROR", "RUNNING", "STOPPED"]


@given(st.lists(rows(), unique_by=lambda one: one.id), st.sampled_from(SORT_KEYS), st.booleans())
def test_an_order_is_of_all_rows_and_does_not_depend_on_how_they_came(
    some: list[Row], key: str, descending: bool
) -> None:
    """A refresh moves no equal rows about."""
    sort = Sort(key, descending)
    found = sort.apply(some)
    assert sorted(one.id for one in found) == sorted(one.id for one in some)
    assert found == sort.apply(some[::-1])
    values = [VALUES[key](one) for one in found if VALUES[key](one) is not None]
    assert values == sorted(values, reverse=descending)


def test_choosing_columns() -> None:
    """Figures begin with the biggest; the same column again goes the other way; the sides go around."""
    assert Sort().by("cpu") == Sort("cpu", descending=True)
    assert Sort("cpu", descending=True).by("cpu") == Sort("cpu")
    assert Sort("id").beside(-1, SORT_KEYS).key == SORT_KEYS[-1]
    assert Sort("reason").beside(1, SORT_KEYS) == Sort("id")
    assert Sort("net").beside(1, ["id", "cpu"]) == Sort("cpu", descending=True)
