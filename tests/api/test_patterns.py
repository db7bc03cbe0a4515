"""The patterns of the wire and of the core are the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from wsmgr.core import ids
from wsmgr.core.errors import InvalidRequest
from wsmgr.wire import names

PAIRS = [
    (TypeAdapter(names.Slug), ids.parse_slug),
    (TypeAdapter(names.WorkspaceId), ids.parse_workspace_id),
    (TypeAdapter(names.OwnerKey), ids.parse_owner_key),
    (TypeAdapter(names.ExecutionId), ids.parse_execution_id),
    (TypeAdapter(names.Version), ids.parse_version),
]
TEXT = st.one_of(
    st.text(),
    st.from_regex(r"(user|org):[A-Za-z0-9][A-Za-z0-9._@-]{0,10}(~[a-z0-9-]{0,5})?\n?", fullmatch=True),
    st.from_regex(r"[a-z0-9-]{0,66}\n?", fullmatch=True),
    st.from_regex(r"[0-9a-f]{63,65}", fullmatch=True),
)


@given(text=TEXT)
def test_both_take_and_refuse_the_same(text: str) -> None:
    """Or the OpenAPI document would promise what the daemon refuses."""
    for wire, core in PAIRS:
        try:
            wire.validate_python(text)
            on_wire = True
        except ValidationError:
            on_wire = False
        try:
            core(text)
            in_core = True
        except InvalidRequest:
            in_core = False
        assert on_wire == in_core, (text, core)
