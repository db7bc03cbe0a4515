"""The values of secrets are taken out of what a plugin printed or threw."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsmgr.core.masking import LEAST, Mask
from wsmgr.core.outcome import Failure, FailureType, LogEntry, Outcome
from wsmgr.core.secret import Secret

KEY = "sk_live_0123456789"
PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END KEY-----\n"


def masked(text: str, *values: str) -> str:
    """What is left of a text."""
    return Mask(Secret(value) for value in values).text(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"the key is {KEY}!", "the key is ***!"),
        (f"{KEY}{KEY}", "******"),
        (f"nothing here, {KEY[:5]}", f"nothing here, {KEY[:5]}"),
        (f"cut off in it: {KEY[:10]}", "cut off in it: ***"),
        (f"{KEY[:10]} and on", f"{KEY[:10]} and on"),
        ("", ""),
    ],
)
def test_a_value_is_replaced(text: str, left: str) -> None:
    """Wherever it stands, and its beginning where the text ends in it."""
    assert masked(text, KEY) == left


def test_values_in_the_forms_that_programs_print() -> None:
    """As JSON writes it, and line by line."""
    quoted = 'a"quoted\\value\n'
    assert masked(json.dumps({"k": quoted}), quoted) == '{"k": "***"}'
    assert masked("line: MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", PEM) == "line: ***"
    assert masked(f"whole: {PEM}", PEM) == "whole: ***"
    assert masked("ключ-ключ-ключ", "ключ-ключ") == "***-ключ"


def test_short_values_stay() -> None:
    """They are words that stand in any text; the length that counts is that of README."""
    assert masked("true or false", "true") == "true or false"
    assert masked("x" * LEAST, "x" * LEAST) == "***"


def test_the_longer_of_two_values_goes_first() -> None:
    """Else the rest of it would be seen."""
    assert masked(f"{KEY}-and-more", KEY, f"{KEY}-and-more") == "***"


@given(st.text(max_size=50), st.text(min_size=LEAST, max_size=40), st.text(max_size=50))
def test_no_value_is_ever_left(before: str, value: str, after: str) -> None:
    """In any surroundings: unless the mask itself is the value."""
    if value not in "***" * 20:
        assert value not in masked(f"{before}{value}{after}", value).replace("***", "")


def test_an_outcome_is_masked_but_for_its_output() -> None:
    """Logs, message, stack and name; the output is the plugin's answer."""
    failure = Failure(FailureType.EXCEPTION, f"no {KEY}", f"Error: no {KEY[:12]}\n    at f (x.js:1:2)", KEY)
    outcome = Outcome({"k": KEY}, failure, (LogEntry(1.0, "log", f"> {KEY}"),), logs_truncated=True, duration_ms=2.0)
    left = Mask([Secret(KEY)]).outcome(outcome)
    assert left.output == {"k": KEY}
    assert left.logs == (LogEntry(1.0, "log", "> ***"),)
    assert left.failure == Failure(FailureType.EXCEPTION, "no ***", "Error: no ***\n    at f (x.js:1:2)", "***")
    assert (left.logs_truncated, left.duration_ms) == (True, 2.0)


def test_without_secrets_nothing_is_copied() -> None:
    """The path of every call."""
    outcome = Outcome(1, None, (LogEntry(1.0, "log", KEY),), logs_truncated=False, duration_ms=2.0)
    assert Mask(()).outcome(outcome) is outcome
    assert Mask([Secret("short")]).outcome(outcome) is outcome


def test_a_mask_shows_no_value() -> None:
    """It is made of them."""
    assert KEY not in repr(Mask([Secret(KEY)]))
