"""The newest state, and what of it is new."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wsmgr.core.journal import Journal

KEYS = st.sampled_from("abcdef")
STEPS = st.lists(
    st.tuples(st.just("put"), KEYS, st.integers(0, 9))
    | st.tuples(st.just("drop"), KEYS, st.just(0))
    | st.tuples(st.just("read"), KEYS, st.just(0)),
    max_size=60,
)


@given(steps=STEPS, memory=st.integers(1, 4))
def test_a_reader_that_comes_now_and_then_knows_what_there_is(steps: list[tuple[str, str, int]], memory: int) -> None:
    """However seldom it comes and whatever was forgotten meanwhile; and what it is told is not more than changed."""
    journal: Journal[str, int] = Journal(memory)
    truth: dict[str, int] = {}
    known: dict[str, int] = {}
    number = 0
    for what, key, value in [*steps, ("read", "a", 0)]:
        if what == "put":
            journal.put(key, value)
            truth[key] = value
        elif what == "drop":
            journal.drop(key)
            truth.pop(key, None)
        else:
            news = journal.since(number)
            if news is None:
                known = dict(journal.all())
            else:
                assert len(news.rows) + len(news.gone) <= journal.number - number
                for gone in news.gone:
                    known.pop(gone, None)
                known.update(news.rows)
            number = journal.number
            assert known == truth


def test_to_know_everything_is_to_hear_nothing() -> None:
    """And to know nothing is to hear everything."""
    journal: Journal[str, int] = Journal()
    journal.put("a", 1)
    journal.put("a", 2)
    journal.put("b", 3)
    journal.drop("b")
    journal.drop("never")
    everything = journal.since(0)
    assert everything is not None
    assert (everything.rows, everything.gone) == ([("a", 2)], ["b"])
    nothing = journal.since(journal.number)
    assert nothing is not None
    assert (nothing.rows, nothing.gone) == ([], [])


def test_who_missed_what_is_forgotten_begins_anew() -> None:
    """One that knows of the newest that is forgotten does not."""
    journal: Journal[str, int] = Journal(memory=1)
    journal.put("a", 1)
    journal.put("b", 1)
    journal.drop("a")
    journal.drop("b")
    assert journal.since(2) is None
    news = journal.since(3)
    assert news is not None
    assert news.gone == ["b"]
