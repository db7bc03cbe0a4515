"""Ids: what is taken, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsmgr.core.errors import InvalidRequest
from wsmgr.core.ids import (
    owner_key,
    owner_of,
    parse_execution_id,
    parse_owner_key,
    parse_slug,
    parse_version,
    parse_workspace_id,
    user_and_organization,
    workspace_id,
)

GOOD_IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,127}", fullmatch=True)
GOOD_NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True)


def test_the_organisation_owns_when_one_is_named() -> None:
    """A user alone owns; with an organisation the organisation does."""
    assert owner_key("alice") == "user:alice"
    assert owner_key("alice", "acme") == "org:acme"


@pytest.mark.parametrize(
    "bad", ["", "-a", ".a", "a b", "a/b", "../../etc", "a\n", "a\0", "ä", "a" * 129, "user:a", "a~b", "a:b"]
)
def test_bad_user_ids_are_refused(bad: str) -> None:
    """Anything outside the pattern is refused, also when an organisation owns the call."""
    with pytest.raises(InvalidRequest):
        owner_key(bad)
    with pytest.raises(InvalidRequest):
        owner_key(bad, "acme")
    with pytest.raises(InvalidRequest):
        owner_key("alice", bad)


@pytest.mark.parametrize("bad", ["", "../../etc/x", "A", "-a", "a_b", "a" * 65, "a\n", "a/b", "é"])
def test_bad_slugs_are_refused(bad: str) -> None:
    """Slugs are lower-case words with dashes, nothing else."""
    with pytest.raises(InvalidRequest):
        parse_slug(bad)


@pytest.mark.parametrize("bad", ["user:", "alice", "team:a", "user:a~", "user:a~B", "user:a~b~c", "org:a/b", "user:a "])
def test_bad_workspace_ids_are_refused(bad: str) -> None:
    """A workspace id is an owner key, and at most one name behind a tilde."""
    with pytest.raises(InvalidRequest):
        parse_workspace_id(bad)


@given(user=GOOD_IDS, name=st.none() | GOOD_NAMES)
def test_workspace_ids_round_trip(user: str, name: str | None) -> None:
    """What workspace_id makes, parse_workspace_id takes, and the owner comes out again."""
    owner = owner_key(user)
    workspace = workspace_id(owner, name)
    assert parse_workspace_id(workspace) == workspace
    assert owner_of(workspace) == owner == parse_owner_key(owner)
    assert user_and_organization(owner) == (user, None)


@given(text=st.text())
def test_no_text_makes_a_parser_fail_in_any_other_way(text: str) -> None:
    """Every parser either returns its text or raises InvalidRequest."""
    for parse in (parse_slug, parse_workspace_id, parse_owner_key, parse_execution_id, parse_version):
        try:
            parsed = parse(text)
        except InvalidRequest as refused:
            told = refused.sentence
        else:
            told = ""
            assert parsed == text
        assert len(told) < 300
