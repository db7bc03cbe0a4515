"""The grammar of the filter."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.model.rows import row, rows
from tui.model.filter import BadFilter, parse
from tui.model.row import Row

NOW = 10_000.0
ALICE = row(
    "user:alice", plan="FREE", reason="Running.", cpu_percent=24.0, cpu_limit_percent=25.0, memory_mb=64.0,
    memory_limit_mb=128.0, received_rate=2048.0, sent_rate=0.0, executions_per_minute=12.0, restarts=2,
    started_at=9_700, idle_since=9_990, healthy=True,
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "alice", "ALICE", "user:alice", "user:", "running", "free", "usalc", "!bob", "plan:FREE", "plan:f",
        "status:running", "!status:error", "cpu>20", "cpu>=24", "cpu<24.5", "cpu=24", "cpu>90%", "mem=64", "mem>0.05g",
        "mem>=50%", "net>1k", "exec>10", "restarts=2", "up>=5m", "up<1h", "idle<=10s", "health:ok",
        "owner:user:alice", "reason:run", "isolation:cont", "desired:running", "alice plan:FREE cpu>1 !status:stopped",
    ],
)  # fmt: skip
def test_what_matches(text: str) -> None:
    """All words hold."""
    assert parse(text).matches(ALICE, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "bob", "!alice", "zzz", "xa", "plan:PRO", "status:error", "!cpu>20", "cpu>24", "mem>50%", "net>1m", "up<5m",
        "up>1d", "health:sick", "failures>0", "alice bob", "cpu>20 cpu<20", "!running",
    ],
)  # fmt: skip
def test_what_does_not(text: str) -> None:
    """One word does not hold."""
    assert not parse(text).matches(ALICE, NOW)


@pytest.mark.parametrize("text", ["cpu>0", "cpu<0", "mem>=0", "mem<50%", "net=0", "exec<1", "up>0", "idle<1"])
def test_what_is_not_known_is_neither_more_nor_less(text: str) -> None:
    """A stopped workspace is not one that uses nothing."""
    assert not parse(text).matches(row(status="STOPPED"), NOW)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("!", "needs a word"),
        ("colour:red", "no column `colour`"),
        ("plan:", "needs a value"),
        ("cpu>", "needs a number"),
        ("cpu>many", "needs a number"),
        ("gpu>5", "no figure `gpu`"),
        ("cpu>5x", "no unit `x`"),
        ("up>5k", "no unit `k`"),
        ("alice !cpu>", "needs a number"),
    ],
)
def test_a_bad_filter_gives_a_sentence(text: str, said: str) -> None:
    """For the operator."""
    with pytest.raises(BadFilter, match=said) as told:
        parse(text)
    assert str(told.value).endswith(".")


@given(st.text(max_size=20), rows())
def test_whatever_is_typed_is_a_filter_or_a_sentence(text: str, one: Row) -> None:
    """Nothing else comes of it."""
    found = None
    with contextlib.suppress(BadFilter):
        found = parse(text)
    assert found is None or found.matches(one, NOW) in {True, False}


@given(st.sampled_from(["alice", "plan:FREE", "cpu>50", "status:error", "up<5m", "u:a"]), rows())
def test_a_word_and_its_opposite(text: str, one: Row) -> None:
    """Exactly one of them holds."""
    try:
        found = parse(text)
    except BadFilter:
        return
    assert found.matches(one, NOW) != parse(f"!{text}").matches(one, NOW)
