"""Figures, times and names, each within its width."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.model import format as say


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "-"), (0, "0B"), (512, "512B"), (999, "999B"), (1000, "1.0K"), (1536, "1.5K"), (106 * 2**20, "106M"),
        (999.4 * 1024, "999K"), (2**40, "1.0T"), (-5, "0B"),
    ],
)  # fmt: skip
def test_bytes(count: float | None, text: str) -> None:
    """In units of 1024, with three figures at the most."""
    assert say.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text", "coarse", "precise"),
    [
        (None, "-", "-", "-"),
        (0, "0s", "0s", "0s"),
        (59.9, "59s", "55s", "59s"),
        (61, "1m", "1m", "1m 1s"),
        (7_200, "2h", "2h", "2h 0m"),
        (172_799, "47h", "47h", "1d 23h"),
        (300_000, "3d", "3d", "3d 11h"),
        (-4, "0s", "0s", "0s"),
    ],
)
def test_durations(seconds: float | None, text: str, coarse: str, precise: str) -> None:
    """The largest unit, in quiet steps, or the two largest."""
    assert (say.duration(seconds), say.coarse(seconds), say.precise(seconds)) == (text, coarse, precise)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "just now"), (12, "12 s ago"), (61, "1 min ago"), (3_600, "1 hour ago"), (90_000, "25 hours ago"),
     (200_000, "2 days ago")],
)  # fmt: skip
def test_ages(seconds: float, text: str) -> None:
    """As people say them."""
    assert say.ago(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0%"), (0.04, "0%"), (0.4, "0.4%"), (9.94, "9.9%"), (9.96, "10%"), (250.0, "250%")],
)
def test_percent(value: float | None, text: str) -> None:
    """One place below ten."""
    assert say.percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0, "0"), (0.5, "0.5"), (3.0, "3"), (12.4, "12"), (1234, "1.2k"), (123_456, "123k")],
)
def test_counts(value: float | None, text: str) -> None:
    """Rates and counts."""
    assert say.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.424, "0.42ms"), (12.3, "12ms"), (1_500, "1.5s"), (180_000, "3m")]
)
def test_milliseconds(value: float | None, text: str) -> None:
    """From parts of one to minutes."""
    assert say.milliseconds(value) == text


def test_plurals() -> None:
    """One, many, and words of their own."""
    assert say.plural(1, "workspace") == "1 workspace"
    assert say.plural(2_000, "workspace") == "2,000 workspaces"
    assert say.plural(2, "one was", "were") == "2 were"


def test_a_moment_of_another_day_bears_its_date() -> None:
    """And both forms have one width."""
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert say.when(now, now.timestamp()) == f"{now.astimezone():%H:%M:%S}"
    before = now - timedelta(days=2)
    assert say.when(before, now.timestamp()) == f"{before.astimezone():%m-%d %H:%M}"


@given(st.text(), st.integers(0, 30), st.booleans())
def test_a_text_is_fitted_to_exactly_its_width(text: str, width: int, right: bool) -> None:
    """Whatever is in it."""
    clean = say.printable(text)
    fitted = say.fit(clean, width, right=right)
    assert cell_len(fitted) == width
    if cell_len(clean) <= width:
        assert fitted.strip(" ") == clean.strip(" ")
    elif width:
        assert fitted.endswith("…")


def test_a_wide_character_is_never_halved() -> None:
    """A space stands where half of it would."""
    assert say.fit("幅広い", 4) == "幅 …"
    assert say.fit("幅広い", 5) == "幅広…"


@given(st.text())
def test_what_is_printable_moves_no_cursor(text: str) -> None:
    """No control character of untrusted text reaches the terminal."""
    assert all(mark.isprintable() for mark in say.printable(text))


@given(st.floats(-1, 3), st.integers(1, 20))
def test_a_bar_is_as_wide_as_was_said(share: float, width: int) -> None:
    """At every share; full at one, empty at none."""
    bar = say.bar(share, width)
    assert cell_len(bar) == width
    assert (bar == "█" * width) == (round(min(max(share, 0), 1) * width * 8) == width * 8)


def test_a_bar_of_what_is_not_known() -> None:
    """Says so."""
    assert say.bar(None, 4) == "-   "
