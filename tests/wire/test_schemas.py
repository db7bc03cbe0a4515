"""What holds for every schema of the API."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

import wsmgr.wire
from tests.client import canned
from wsmgr.wire.base import Request, Response
from wsmgr.wire.owner import PutOwner
from wsmgr.wire.plugin import PutPlugin, Rollback
from wsmgr.wire.problem import Problem
from wsmgr.wire.workspace import PutWorkspace, Workspace

ROOT = Path(__file__).parents[2]
MODULES = [importlib.import_module(f"wsmgr.wire.{info.name}") for info in pkgutil.iter_modules(wsmgr.wire.__path__)]
MODELS = sorted(
    {
        value
        for module in MODULES
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseModel) and value.__module__ == module.__name__
    },
    key=lambda model: model.__name__,
)
SAMPLES = [
    *canned.FIXED.values(),
    canned.workspace(),
    canned.executed(None),
    canned.execution("e", "lost"),
    canned.fleet_snapshot(),
    canned.fleet_changes(),
]


@pytest.mark.parametrize("model", MODELS)
def test_every_json_name_is_camel_case(model: type[BaseModel]) -> None:
    """No underscore reaches the wire."""
    names = model.model_json_schema(mode="serialization").get("properties", {})
    assert all(re.fullmatch(r"[a-z][A-Za-z0-9]*", name) for name in names), names


@pytest.mark.parametrize("model", [model for model in MODELS if issubclass(model, Request)])
def test_every_request_forbids_unknown_members(model: type[Request]) -> None:
    """The document says so, and so does the check."""
    assert model.model_json_schema()["additionalProperties"] is False
    with pytest.raises(ValidationError, match="unknown"):
        model.model_validate({"unknown": 1})


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_every_answer_survives_the_wire(sample: Response) -> None:
    """Dumped and read again it is the same value."""
    assert type(sample).model_validate_json(sample.model_dump_json()) == sample


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_a_newer_daemon_may_say_more(sample: Response) -> None:
    """Members that this version does not know are passed over."""
    body = sample.model_dump(mode="json") | {"somethingNew": {"a": 1}}
    assert type(sample).model_validate(body) == sample


def test_a_workspace_has_the_platforms_names() -> None:
    """The names of DESIGN section 4, both lists."""
    body = canned.workspace().model_dump(mode="json")
    assert {
        *("id", "containerId", "userId", "organizationId", "port", "status", "createdAt", "lastActivityAt"),
        *("resourceUsage", "plan", "limits", "isolation", "limitsEnforced", "health", "restarts", "desired"),
        *("reason", "image", "runtime", "plugins"),
    } <= set(body)
    assert {"memoryMb", "cpuPercent", "networkInBytes", "networkOutBytes"} <= set(body["resourceUsage"])
    assert {"healthy", "lastCheck", "consecutiveFailures", "uptime", "restartsLeft"} == set(body["health"])
    assert body["createdAt"] == "2026-11-23T12:00:00Z"


def test_a_time_without_a_zone_is_refused() -> None:
    """A naive time would be read as local by somebody."""
    body = canned.workspace().model_dump(mode="json")
    Workspace.model_validate(body)
    with pytest.raises(ValidationError, match="timezone"):
        Workspace.model_validate(body | {"createdAt": "2026-11-23T12:00:00"})


@pytest.mark.parametrize(
    ("model", "good", "bad"),
    [
        (PutWorkspace, {"desired": "STOPPED"}, {"desired": "ABSENT"}),
        (PutPlugin, {"language": "javascript", "code": "x"}, {"language": "javascript", "code": ""}),
        (PutOwner, {"plan": "PRO", "isolation": "docker", "fallback": False}, {"isolation": "chroot"}),
        (PutOwner, {"plan": None}, {"fallback": "yes"}),
        (Rollback, {"version": "ab" * 32}, {"version": "AB" * 32}),
    ],
)
def test_requests_take_what_is_right_and_refuse_what_is_not(
    model: type[Request], good: dict[str, object], bad: dict[str, object]
) -> None:
    """One of each kind."""
    model.model_validate(good)
    with pytest.raises(ValidationError):
        model.model_validate(bad)


@given(
    extra=st.dictionaries(
        st.text(min_size=1).filter(lambda name: name not in Problem.model_fields and not name.startswith("model_")),
        st.integers() | st.text(),
        max_size=3,
    )
)
def test_a_problem_keeps_its_extra_members(extra: dict[str, object]) -> None:
    """Limits, positions and the like come through."""
    problem = Problem.model_validate({"title": "t", "status": 429, "code": "c", "detail": "d", **extra})
    assert Problem.model_validate_json(problem.model_dump_json()).model_extra == extra


def test_the_wire_imports_nothing_of_wsmgr_and_no_framework() -> None:
    """Seen in a process of its own, in `sys.modules`."""
    modules = ", ".join(module.__name__ for module in MODULES)
    code = f"import {modules}, sys; print(*sys.modules)"
    seen = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, cwd=ROOT
    )
    loaded = set(seen.stdout.split())
    assert {name for name in loaded if name.startswith("wsmgr.")} == {m.__name__ for m in MODULES} | {"wsmgr.wire"}
    assert not loaded & {"fastapi", "sqlmodel", "podman", "textual", "httpx", "typer"}
