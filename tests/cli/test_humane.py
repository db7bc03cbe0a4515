"""Figures and times as people say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsmgr.cli.humane import ago, milliseconds, plural, printable, size, span

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (3_600, "1 hour"),
        (7_200, "2 hours"),
        (86_400, "1 day"),
        (200_000, "2 days"),
    ],
)
def test_a_span_has_its_largest_unit(seconds: float, text: str) -> None:
    """And a plural where there is one."""
    assert span(seconds) == text


def test_a_time_is_told_from_now() -> None:
    """Also one that is ahead of a clock that lags."""
    assert ago(NOW - timedelta(minutes=3), NOW) == "3 min ago"
    assert ago(NOW, NOW) == "just now"
    assert ago(NOW + timedelta(minutes=3), NOW) == "just now"


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.416, "0.42 ms"), (12.34, "12.3 ms"), (999.0, "999.0 ms"), (1500, "1.50 s")]
)
def test_milliseconds(value: float | None, text: str) -> None:
    """Three figures are enough."""
    assert milliseconds(value) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (2048, "2.0 KiB"),
        (106 * 2**20, "106 MiB"),
        (3 * 2**30, "3.0 GiB"),
        (2**50, "1048576 GiB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    """In units of 1024."""
    assert size(count) == text


def test_plurals() -> None:
    """Also of nouns that do not just take an s."""
    assert [plural(count, "workspace") for count in (0, 1, 2)] == ["0 workspaces", "1 workspace", "2 workspaces"]
    assert plural(2, "capability", "capabilities") == "2 capabilities"


@given(st.text())
def test_text_of_a_plugin_cannot_steer_a_terminal(text: str) -> None:
    """No control character but line feed and tab comes out, and what is harmless stays as it is."""
    shown = printable(text)
    assert all(mark.isprintable() or mark in "\n\t" for mark in shown)
    assert printable(shown) == shown
    shown.encode()


def test_harmless_text_stays() -> None:
    """Letters of any script, punctuation, glyphs."""
    assert printable("Grüße, 世界 ✔\n\tend") == "Grüße, 世界 ✔\n\tend"
    assert printable("\x1b[2J\x9b\u202e\udc80") == "\\x1b[2J\\x9b\\u202e\\udc80"
