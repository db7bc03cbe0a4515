"""Container names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsmgr.adapters.podman.names import container_name
from wsmgr.core.ids import WorkspaceId, parse_workspace_id

IDS = st.from_regex(r"(user|org):[A-Za-z0-9][A-Za-z0-9._@-]{0,127}(~[a-z0-9][a-z0-9-]{0,31})?", fullmatch=True)


@settings(database=None)
@given(IDS, st.text())
def test_any_id_makes_a_name_podman_takes(text: str, instance: str) -> None:
    """At most 63 characters of podman's own pattern, whatever the id and the instance."""
    name = container_name(instance, parse_workspace_id(text))
    assert re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}", name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("main", "user:a"), ("main", "user:A")),
        (("main", "user:a.b"), ("main", "user:a-b")),
        (("main", "user:" + "a" * 100), ("main", "user:" + "a" * 101)),
        (("main", "user:a"), ("second", "user:a")),
    ],
)
def test_names_differ_where_ids_or_instances_do(one: tuple[str, str], other: tuple[str, str]) -> None:
    """The hash tells apart what the readable part does not."""
    assert container_name(one[0], WorkspaceId(one[1])) != container_name(other[0], WorkspaceId(other[1]))


def test_a_name_can_be_read() -> None:
    """An operator sees whose container it is."""
    assert container_name("main", WorkspaceId("user:alice~reports")).startswith("wsmgr-user-alice-reports-")
