"""The patterns on the wire and the checks of the core are the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from wsmgr.core import ids
from wsmgr.core.errors import InvalidRequest
from wsmgr.wire import names

PAIRS: list[tuple[Any, Callable[[str], object], str]] = [
    (names.UserId, ids.owner_key, "alice@example.org"),
    (names.OrganizationId, lambda text: ids.owner_key("u", text), "acme"),
    (names.OwnerKey, ids.parse_owner_key, "org:acme"),
    (names.WorkspaceName, lambda text: ids.workspace_id(ids.OwnerKey("user:u"), text), "reports"),
    (names.WorkspaceId, ids.parse_workspace_id, "user:alice~reports"),
    (names.Slug, ids.parse_slug, "markdown"),
    (names.Version, ids.parse_version, "0a" * 32),
    (names.ExecutionId, ids.parse_execution_id, "job:7@2026"),
]
NASTY = ["", ".", "..", "a\n", "\n", "a/b", "../../etc/x", "a b", "é", "a\x00", "~", "user:", "user:a~", "a" * 129]


def _taken(check: Callable[[str], object], text: str) -> bool:
    try:
        check(text)
    except (InvalidRequest, ValidationError):
        return False
    return True


def _alike(sample: str) -> st.SearchStrategy[str]:
    """Texts near a good one, and texts of any kind."""
    near = st.tuples(st.integers(0, len(sample)), st.text(max_size=3)).map(
        lambda cut: sample[: cut[0]] + cut[1] + sample[cut[0] :]
    )
    return st.one_of(near, st.text(max_size=140), st.sampled_from(NASTY), st.integers(0, 140).map("a".__mul__))


@pytest.mark.parametrize(("name", "check", "sample"), PAIRS)
def test_a_good_name_is_taken_by_both(name: Any, check: Callable[[str], object], sample: str) -> None:
    """Each pair takes its sample, so that the refusals of the other test mean something."""
    adapter: TypeAdapter[str] = TypeAdapter(name)
    assert _taken(check, sample)
    assert adapter.validate_python(sample) == sample


@pytest.mark.parametrize("index", range(len(PAIRS)))
@given(data=st.data())
def test_wire_and_core_agree_on_every_text(index: int, data: st.DataObject) -> None:
    """No text is taken by one and refused by the other."""
    name, check, sample = PAIRS[index]
    text = data.draw(_alike(sample))
    adapter: TypeAdapter[str] = TypeAdapter(name)
    assert _taken(adapter.validate_python, text) == _taken(check, text)
