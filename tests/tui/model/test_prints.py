"""Lines of plugins, from records of executions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.tui import scenes
from tui.model.prints import NO_TIME, Prints, holds
from wsmgr.wire.execute import LogEntry


def test_a_line_says_when_who_and_what() -> None:
    """Its time is that within its execution, which began after it had waited and started."""
    prints = Prints()
    prints.take(scenes.executions(3))
    first = prints.since(NO_TIME)[0]
    assert first.line.endswith("hello info  reading 1")
    assert first.at == scenes.NOW - 40 + (130.0 + 1.5) / 1000


def test_text_of_plugins_cannot_write_to_the_terminal() -> None:
    """And a message of two lines is two lines."""
    prints = Prints()
    one = scenes.executions(3)[2].model_copy(update={"logs": [LogEntry(t=0, level="log", message="a\x1b[2J\nb")]})
    prints.take([one])
    lines = [line.line for line in prints.since(NO_TIME)]
    assert [line[-1] for line in lines] == ["J", "b"]
    assert all(line.isprintable() for line in lines)


@given(st.lists(st.integers(0, 19), max_size=40), st.integers(1, 8))
def test_pages_in_any_order_give_each_line_once_and_in_order(starts: list[int], size: int) -> None:
    """However they overlap."""
    every, prints = scenes.executions(20), Prints()
    seen: set[str] = set()
    for start in starts:
        page = every[start : start + size]
        known = prints.take(page)
        assert known == any(one.id in seen for one in page)
        seen |= {one.id for one in page if one.state != "running"}
    lines = prints.since(NO_TIME)
    assert len(lines) == len({line.key for line in lines}) == 2 * len(seen)
    assert [line.at for line in lines] == sorted(line.at for line in lines)


def test_the_filter_of_lines() -> None:
    """All words, or not them."""
    assert holds("A fatal error", "fatal error")
    assert not holds("A fatal error", "!fatal")
    assert holds("anything", "")
