"""The body of `POST /api/execute`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wsmgr.wire.execute import ExecuteRequest, ExecuteResponse, InlinePlugin, PluginRef

GOOD: dict[str, Any] = {"userId": "alice", "plugin": "markdown", "input": {"text": "# Hello"}}
FULL: dict[str, Any] = GOOD | {
    "organizationId": "acme",
    "workspace": "reports",
    "context": {"locale": "de", "deep": [1, None, {"a": True}]},
    "timeoutMs": 1500,
    "executionId": "job:7",
    "callback": "https://platform.example/over?x=1",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(value=JSON)
def test_any_json_value_is_an_input(value: object) -> None:
    """The input comes through validation and JSON unchanged."""
    request = ExecuteRequest.model_validate(GOOD | {"input": value})
    assert request.input == value
    assert json.loads(request.model_dump_json())["input"] == json.loads(json.dumps(value))


def test_every_member_has_its_json_name() -> None:
    """What is dumped equals what was read, name by name."""
    assert ExecuteRequest.model_validate(FULL).model_dump() == FULL


@pytest.mark.parametrize(
    ("plugin", "kind"),
    [
        ("markdown", str),
        ({"slug": "markdown"}, PluginRef),
        ({"slug": "markdown", "version": "0a" * 32}, PluginRef),
        ({"slug": "markdown", "language": "javascript", "code": "x"}, InlinePlugin),
    ],
)
def test_a_plugin_has_three_forms(plugin: object, kind: type) -> None:
    """A slug, a stored version, and code that comes with the call."""
    assert isinstance(ExecuteRequest.model_validate(GOOD | {"plugin": plugin}).plugin, kind)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"user_id": "alice"}, "user_id"),
        ({"unknown": 1}, "unknown"),
        ({"timeoutMs": "3"}, "timeoutMs"),
        ({"timeoutMs": True}, "timeoutMs"),
        ({"timeoutMs": 1.5}, "timeoutMs"),
        ({"timeoutMs": 0}, "timeoutMs"),
        ({"timeoutMs": 10**400}, "timeoutMs"),
        ({"userId": 7}, "userId"),
        ({"userId": "../x"}, "userId"),
        ({"organizationId": ""}, "organizationId"),
        ({"workspace": "Reports"}, "workspace"),
        ({"executionId": "a/b"}, "executionId"),
        ({"context": []}, "context"),
        ({"context": "x"}, "context"),
        ({"plugin": "../../etc/x"}, "plugin.slug"),
        ({"plugin": None}, "plugin.slug"),
        ({"plugin": 7}, "plugin.slug"),
        ({"plugin": {}}, "plugin.ref.slug"),
        ({"plugin": {"slug": "a", "version": "latest"}}, "plugin.ref.version"),
        ({"plugin": {"slug": "a", "more": 1}}, "plugin.ref.more"),
        ({"plugin": {"slug": "a", "code": "x"}}, "plugin.inline.language"),
        ({"plugin": {"slug": "a", "code": "", "language": "javascript"}}, "plugin.inline.code"),
        ({"plugin": {"slug": "a", "code": "x", "language": "cobol"}}, "plugin.inline.language"),
    ],
)
def test_what_is_wrong_is_refused_where_it_is(change: dict[str, object], where: str) -> None:
    """Exactly one error, at the member that is wrong."""
    ExecuteRequest.model_validate(GOOD)
    with pytest.raises(ValidationError) as refusal:
        ExecuteRequest.model_validate(GOOD | change)
    assert [".".join(map(str, error["loc"])) for error in refusal.value.errors()] == [where]


@pytest.mark.parametrize("member", sorted(GOOD))
def test_the_required_members_are_required(member: str) -> None:
    """Without any one of them there is no call."""
    with pytest.raises(ValidationError, match=member):
        ExecuteRequest.model_validate({name: value for name, value in GOOD.items() if name != member})


def test_an_answer_has_the_members_of_the_contract() -> None:
    """The names that the platform reads, no more and no fewer."""
    assert set(ExecuteResponse.model_json_schema(mode="serialization")["properties"]) == {
        "executionId",
        "success",
        "output",
        "error",
        "logs",
        "logsTruncated",
        "durationMs",
        "queueMs",
        "startMs",
        "coldStart",
        "isolation",
        "degraded",
        "pluginVersion",
    }
