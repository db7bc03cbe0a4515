"""A secret shows itself nowhere."""

from __future__ import annotations

import json
import pickle

import orjson
import pytest

from wsmgr.core.errors import InvalidRequest
from wsmgr.core.secret import Secret, parse_secret_name

VALUE = "hunter2-hunter2"


def test_no_text_of_a_secret_has_its_value() -> None:
    """Not its repr, not a format, not that of what holds it; asked for it is there."""
    secret = Secret(VALUE)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", repr({"a": [secret]}), f"{[secret]}"]
    assert [text for text in shown if VALUE in text] == []
    assert secret.reveal() == VALUE


@pytest.mark.parametrize("write", [json.dumps, orjson.dumps, pickle.dumps])
def test_a_secret_is_not_written_down_by_accident(write: object) -> None:
    """No serialiser takes it; the control is its text."""
    assert callable(write)
    with pytest.raises(TypeError):
        write(Secret(VALUE))
    assert write(VALUE)


def test_secrets_compare_by_value() -> None:
    """As texts do."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


@pytest.mark.parametrize("name", ["A", "API_KEY", "K2", "A" + "_" * 63])
def test_names_that_are_taken(name: str) -> None:
    """As they are."""
    assert parse_secret_name(name) == name


@pytest.mark.parametrize("name", ["", "a", "1A", "_A", "A-B", "A B", "Ä", "A\n", "A" * 65, "A\0"])
def test_names_that_are_not(name: str) -> None:
    """And the refusal does not repeat what may be the value."""
    with pytest.raises(InvalidRequest) as refused:
        parse_secret_name(name)
    assert len(name) < 2 or repr(name) not in refused.value.sentence
