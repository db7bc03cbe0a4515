"""Which versions of a plugin may have been current, when changes overlap with calls and some are not acknowledged."""

from __future__ import annotations

from tests.soak.ledger import History, Shift


def history(*shifts: tuple[str | None, float, float | None]) -> History:
    """Changes in their order: version, asked at, acknowledged at."""
    made = History()
    made.shifts = [Shift(version, begun, done) for version, begun, done in shifts]
    return made


def test_before_the_first_there_is_none() -> None:
    """And during it there may be either."""
    put = history(("a", 10, 12))
    assert put.possible(1, 9) == {None}
    assert put.possible(8, 11) == {None, "a"}
    assert put.possible(11, 11.5) == {None, "a"}
    assert put.possible(13, 20) == {"a"}


def test_a_call_may_meet_every_version_of_its_time() -> None:
    """From the one that was current when it began to the one that was asked for before it ended."""
    three = history(("a", 1, 2), ("b", 5, 6), ("c", 9, 10))
    assert three.possible(3, 4) == {"a"}
    assert three.possible(3, 5.5) == {"a", "b"}
    assert three.possible(5.5, 9.5) == {"a", "b", "c"}
    assert three.possible(7, 8) == {"b"}


def test_what_is_not_acknowledged_may_have_happened_or_not() -> None:
    """It hides nothing before it."""
    doubtful = history(("a", 1, 2), (None, 5, None))
    assert doubtful.possible(8, 9) == {"a", None}
    assert history(("a", 1, 2), ("b", 3, None), ("c", 5, 6)).possible(8, 9) == {"c"}


def test_acknowledgements_and_refusals() -> None:
    """What was refused was not done; a deletion takes the versions with it."""
    made = History()
    made.acknowledged(made.begin("a"), 1)
    made.refused(made.begin("b"))
    assert (made.current(), made.versions) == ({"a"}, {"a": 1})
    made.acknowledged(made.begin(None))
    assert (made.current(), made.versions) == ({None}, {})
