"""Where a plugin runs: the names of companions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsmgr.core.ids import WorkspaceId, owner_of, parse_workspace_id
from wsmgr.core.plugin import Language
from wsmgr.core.runtime import Runtime, home_of, runtime_of, speaks

JAVASCRIPT, PYTHON = Language.JAVASCRIPT, Language.PYTHON


@pytest.mark.parametrize(
    ("asked", "python"),
    [
        ("user:alice", "user:alice~python"),
        ("org:acme", "org:acme~python"),
        ("user:alice~reports", "user:alice~reports-python"),
        ("user:alice-python", "user:alice-python~python"),
    ],
)
def test_a_companion_is_named_after_the_workspace(asked: str, python: str) -> None:
    """JavaScript stays where it was asked for, Python goes to the companion; asked of the companion, both ways back."""
    main, companion = WorkspaceId(asked), WorkspaceId(python)
    assert (runtime_of(main), runtime_of(companion)) == (Runtime.NODE, Runtime.PYTHON)
    assert (home_of(main, JAVASCRIPT), home_of(main, PYTHON)) == (main, companion)
    assert (home_of(companion, JAVASCRIPT), home_of(companion, PYTHON)) == (main, companion)


def test_a_long_name_is_cut_and_stays_unique() -> None:
    """Names have 32 characters at the most; two long ones with the same beginning have two companions."""
    one, other = (WorkspaceId(f"user:alice~{'r' * 31}{last}") for last in "ab")
    companions = {home_of(one, PYTHON), home_of(other, PYTHON)}
    assert len(companions) == 2
    assert all(parse_workspace_id(name) == name for name in companions)


NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True)
IDS = st.one_of(st.just("user:a"), NAMES.map(lambda name: f"user:a~{name}"))


@given(IDS, st.sampled_from(Language))
def test_a_home_is_valid_speaks_the_language_and_is_the_owners(name: str, language: Language) -> None:
    """For every id and language, and once more changes nothing."""
    home = home_of(WorkspaceId(name), language)
    assert parse_workspace_id(home) == home
    assert speaks(home, language)
    assert owner_of(home) == "user:a"
    assert home_of(home, language) == home
