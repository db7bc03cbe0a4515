"""The rows as the daemon last told them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.tui.model.rows import KEYS, row, rows
from tui.model.row import Row
from tui.model.sort import Sort
from tui.model.store import MARKED_S, Delta, Store
from tui.model.view import View


def test_a_snapshot_replaces_what_was() -> None:
    """And says what is different."""
    store = Store()
    assert store.replace([row("user:a"), row("user:b")], 0) == Delta(added=frozenset({"user:a", "user:b"}))
    told = store.replace([row("user:b", "ERROR"), row("user:c")], 1)
    assert told == Delta(frozenset({"user:c"}), frozenset({"user:a"}), frozenset({"user:b"}))
    assert not store.replace([row("user:b", "ERROR"), row("user:c")], 2)
    assert store.counts() == {"ERROR": 1, "RUNNING": 1}
    assert "user:a" not in store
    assert store.get("user:a") is None
    assert store.get(None) is None


def test_gone_and_there_again_in_one_update_is_a_change() -> None:
    """The row was there before and is there now."""
    store = Store()
    store.replace([row("user:a")], 0)
    assert store.change([row("user:a", "CREATING")], ["user:a"], 1).changed == {"user:a"}


def test_a_change_of_status_is_marked_for_a_while() -> None:
    """New rows are not marked, nor are other changes."""
    store = Store()
    store.replace([row("user:a"), row("user:b")], 100)
    store.change([row("user:a", "ERROR"), row("user:b", cpu_percent=5.0)], [], 101)
    assert store.is_marked("user:a", 102)
    assert not store.is_marked("user:b", 102)
    assert not store.is_marked("user:a", 101 + MARKED_S)


@given(st.lists(st.tuples(st.booleans(), st.lists(rows(), max_size=4), st.lists(KEYS, max_size=3)), max_size=8))
def test_the_store_is_the_last_word_on_every_row(updates: list[tuple[bool, list[Row], list[str]]]) -> None:
    """Whatever comes in whatever order; and a delta names exactly what differs."""
    store, model = Store(), dict[str, Row]()
    for whole, some, gone in updates:
        before = dict(model)
        if whole:
            model = {one.id: one for one in some}
            told = store.replace(some, 0)
        else:
            model = {key: one for key, one in model.items() if key not in gone} | {one.id: one for one in some}
            told = store.change(some, gone, 0)
        assert {one.id: one for one in store} == model
        assert told.added == set(model) - set(before)
        assert told.removed == set(before) - set(model)
        differs = {key for key in set(model) & set(before) if model[key] != before[key]}
        assert differs <= told.changed <= set(model) & set(before)


def test_a_bad_filter_leaves_the_last_good_one_in_force() -> None:
    """While somebody types."""
    store = Store()
    store.replace([row("user:a", cpu_percent=1.0), row("user:b", cpu_percent=9.0)], 0)
    view = View(store, filter_text="cpu>5", sort=Sort("nonsense"))
    assert view.keys(0) == ["user:b"]
    view.set_filter("cpu>")
    assert view.complaint
    assert view.keys(0) == ["user:b"]
    view.set_filter("")
    assert not view.complaint
    assert view.keys(0) == ["user:a", "user:b"]
