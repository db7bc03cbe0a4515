"""With --json every command prints one JSON document on standard output, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import CommandLine
from tests.client.fake_daemon import FakeDaemon
from wsmgr.wire.alert import Alert
from wsmgr.wire.event import Event
from wsmgr.wire.execute import ExecuteResponse
from wsmgr.wire.execution import Execution
from wsmgr.wire.owner import Owner
from wsmgr.wire.plan import Plan, PlanPage
from wsmgr.wire.plugin import PluginResult, PluginVersion
from wsmgr.wire.settings import PluginConfig, SecretInfo, SecretsRotated
from wsmgr.wire.workspace import Workspace

A = "user:alice"


@pytest.mark.parametrize(
    ("arguments", "model"),
    [
        (("ls",), Workspace),
        (("show", A), Workspace),
        (("start", A, "user:bob"), Workspace),
        (("stop", A), Workspace),
        (("restart", A), Workspace),
        (("recover", A), Workspace),
        (("execute", "hello", "--user", "alice"), ExecuteResponse),
        (("executions", A), Execution),
        (("events",), Event),
        (("events", A), Event),
        (("alerts",), Alert),
        (("alerts", "ack", "7"), Alert),
        (("owner", "ls"), Owner),
        (("owner", "show", A), Owner),
        (("owner", "set", A, "--plan", "PRO", "--limit", "memoryMb=300"), Owner),
        (("owner", "unset", A), Owner),
        (("plan", "ls"), PlanPage),
        (("plan", "show", "PRO"), Plan),
        (("plan", "reload"), PlanPage),
        (("plugin", "put", A, "HELLO"), PluginResult),
        (("plugin", "ls", A), PluginVersion),
        (("plugin", "show", A, "hello"), PluginVersion),
        (("plugin", "rollback", A, "hello"), PluginResult),
        (("plugin", "config", "get", A, "hello"), PluginConfig),
        (("plugin", "config", "set", A, "hello", "--json-input", '{"a": 1}'), PluginConfig),
        (("plugin", "secret", "ls", A, "hello"), SecretInfo),
        (("secrets", "rotate"), SecretsRotated),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_json_is_what_the_api_says(arguments: tuple[str, ...], model: Any, cli: CommandLine, hello: Path) -> None:
    """One wire model, or a list of them, with the names of the API."""
    result = cli(*(str(hello) if word == "HELLO" else word for word in arguments), "--json")
    assert result.code == 0
    found = result.json if isinstance(result.json, list) else [result.json]
    assert found
    for item in found:
        assert model.model_validate(item).model_dump(mode="json") == item


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("rm", A, "--yes"), [{"id": A, "removed": True}]),
        (("plugin", "rm", A, "hello", "--yes"), {"slug": "hello", "removed": True}),
        (
            ("plugin", "secret", "rm", A, "hello", "API_KEY", "--yes"),
            {"slug": "hello", "name": "API_KEY", "removed": True},
        ),
        (("secrets", "forget", "--yes"), {"removed": 3}),
        (("logs", A), ["ready", "a line \x1b[31mred"]),
        (("token", "create", "platform"), {"name": "platform", "role": "service", "token": "s3cret"}),
        (("token", "ls"), []),
        (
            ("image", "build", "--force", "--runtime", "python"),
            {
                "changed": True,
                "images": [
                    {
                        "runtime": "python",
                        "id": "sha256:" + "cd" * 32,
                        "tag": "localhost/wsmgr-python:latest",
                        "changed": True,
                        "sizeBytes": 106 * 1024 * 1024,
                    }
                ],
            },
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_json_of_the_other_commands(arguments: tuple[str, ...], expected: object, cli: CommandLine) -> None:
    """Where the API has no model for it."""
    result = cli(*arguments, "--json")
    assert result.code == 0
    assert result.json == expected


def test_json_of_tokens(cli: CommandLine) -> None:
    """Without the secrets."""
    cli("token", "create", "platform", "--role", "admin")
    assert cli("token", "ls", "--json").json == [
        {"name": "platform", "role": "admin", "createdAt": "2026-11-23T00:00:00+00:00"}
    ]
    assert cli("token", "rm", "platform", "--yes", "--json").json == {"name": "platform", "removed": True}


def test_json_of_the_doctor(cli: CommandLine) -> None:
    """The matrix, where it is from, and the verdict."""
    seen = cli("doctor", "--json").json
    assert seen["ok"] is True
    assert seen["source"] == "daemon"
    assert [line["level"] for line in seen["items"]] == ["enforced", "absent"]


def test_json_of_the_demo(cli: CommandLine, hello: Path) -> None:
    """The figures and both answers."""
    seen = cli("demo", hello, "--calls", "3", "--json").json
    assert seen["coldMs"] > 0
    assert len(seen["warmMs"]) == 3
    ExecuteResponse.model_validate(seen["cold"])
    ExecuteResponse.model_validate(seen["last"])


def test_json_is_json_whatever_a_plugin_returns(cli: CommandLine, daemon: FakeDaemon) -> None:
    """Lone surrogates and control characters are escaped, so that any reader takes it."""
    body = json.dumps(cli("execute", "hello", "--user", "a", "--json").json | {"output": "\udc80\x00\x9b\u202e"})
    daemon.tell("POST", "/api/execute", body.replace("\\udc80", "\\u2028").encode())
    result = cli("execute", "hello", "--user", "a", "--json")
    assert result.json["output"] == "\u2028\x00\x9b\u202e"
    assert result.out.isascii()
