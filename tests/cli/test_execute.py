"""`wsmgr execute` and `wsmgr demo`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tests.client import canned
from tests.client.fake_daemon import FakeDaemon
from wsmgr.wire.execute import ExecutionError


def test_the_output_alone_is_on_standard_output(cli: CommandLine) -> None:
    """So that it can be piped; logs and summary are beside it, with escapes made harmless."""
    result = cli("execute", "hello", "--user", "alice", "--json-input", '{"a": "é"}')
    assert (result.code, result.json) == (0, {"got": {"a": "é"}})
    assert "é" in result.out
    assert "a line \\x1b[31mred" in result.err
    assert "2.50 ms, warm, isolation container, version abababababab, execution e-1" in result.err


def test_all_options_reach_the_daemon(cli: CommandLine, daemon: FakeDaemon) -> None:
    """Seconds become milliseconds."""
    cli(
        *("execute", "hello", "--user", "alice", "--org", "acme", "--workspace", "reports"),
        *("--timeout", "1.5", "--id", "job:7", "--input", "-"),
        stdin="[1]",
    )
    assert daemon.last.body == {
        "userId": "alice",
        "organizationId": "acme",
        "workspace": "reports",
        "plugin": "hello",
        "input": [1],
        "timeoutMs": 1500,
        "executionId": "job:7",
    }


def test_a_file_goes_inline(cli: CommandLine, daemon: FakeDaemon, hello: Path) -> None:
    """Named after the file, or by --slug; the input is read from a file too."""
    data = hello.with_name("data.json")
    data.write_text('{"b": 2}')
    cli("execute", hello, "--user", "alice", "--input", data)
    assert daemon.last.body["plugin"] == {
        "slug": "hello",
        "language": "javascript",
        "code": "module.exports = (input) => input\n",
    }
    assert daemon.last.body["input"] == {"b": 2}
    cli("execute", hello, "--user", "alice", "--slug", "other")
    assert daemon.last.body["plugin"]["slug"] == "other"


def test_a_plugin_that_fails_ends_with_3(cli: CommandLine, daemon: FakeDaemon) -> None:
    """With its type, message and stack on standard error, and nothing on standard output."""
    failure = ExecutionError(type="Exception", message="no \x1b]0;x", stack="Error: no\n    at hello.js:1")
    daemon.tell("POST", "/api/execute", canned.executed(failure=failure, degraded=True))
    result = cli("execute", "hello", "--user", "alice")
    assert (result.code, result.out) == (3, "")
    assert "the plugin failed: Exception: no \\x1b]0;x" in result.err
    assert "    at hello.js:1" in result.err
    assert "isolation worker (degraded)" in result.err
    as_json = cli("execute", "hello", "--user", "alice", "--json")
    assert (as_json.code, as_json.json["error"]["type"]) == (3, "Exception")


def test_a_cold_start_is_told_apart(cli: CommandLine, daemon: FakeDaemon) -> None:
    """With how long it took."""
    daemon.tell("POST", "/api/execute", canned.executed(cold=True))
    assert "cold start 130.0 ms" in cli("execute", "hello", "--user", "alice").err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("hello",), 2, "Missing option '--user'"),
        (("hello", "--user", "a", "--timeout", "0"), 2, "--timeout"),
        (("hello", "--user", "a", "--input", "x", "--json-input", "1"), 2, "exclude each other"),
        (("hello", "--user", "a", "--json-input", "{"), 2, "--json-input is not JSON: Expecting property name"),
        (("hello", "--user", "a", "--json-input", "9" * 5000), 2, "--json-input is not JSON that can be sent"),
        (("hello", "--user", "a", "--json-input", "[" * 100_000), 2, "--json-input is nested too deeply"),
        (("hello", "--user", "a", "--json-input", "NaN"), 1, "is not JSON: Out of range float"),
        (("hello", "--user", "a", "--input", "no.json"), 1, "no.json cannot be read: No such file"),
        (("no.js", "--user", "a"), 1, "no.js cannot be read: No such file"),
        (("hello.rb", "--user", "a"), 2, "a plugin is a .js, .mjs, .cjs or .py file"),
        (("hello", "--user", "../x"), 1, "wsmgr: String should match pattern"),
    ],
)
def test_a_mistake_is_one_sentence(
    arguments: tuple[str, ...], code: int, sentence: str, cli: CommandLine, daemon: FakeDaemon
) -> None:
    """With the right exit code, and no stack."""
    result = cli("execute", *arguments)
    assert result.code == code
    assert sentence in result.err
    assert "Traceback" not in result.err
    assert result.out == ""
    assert [seen.body["userId"] for seen in daemon.seen] in ([], ["../x"])


def test_files_that_are_no_text_are_refused(cli: CommandLine, tmp_path: Path) -> None:
    """Neither as code nor as input; and a name of which no slug can be made asks for one."""
    bad = tmp_path / "bad.js"
    bad.write_bytes(b"\xff\xfe")
    assert "bad.js is not UTF-8 text" in cli("execute", bad, "--user", "a").err
    assert "bad.js is not UTF-8 text" in cli("execute", "x", "--user", "a", "--input", bad).err
    nameless = tmp_path / "--.js"
    nameless.write_text("1")
    assert "pass --slug" in cli("execute", nameless, "--user", "a").err


def test_a_refusal_of_the_daemon_ends_with_1(cli: CommandLine, daemon: FakeDaemon) -> None:
    """Its own sentence, after the program's name."""
    daemon.refuse("POST", "/api/execute", 404, "not_found", "user:alice has no plugin nope.")
    result = cli("execute", "nope", "--user", "alice")
    assert (result.code, result.out, result.err) == (1, "", "wsmgr: user:alice has no plugin nope.\n")


def test_the_demo_goes_from_cold_to_warm(cli: CommandLine, daemon: FakeDaemon, hello: Path) -> None:
    """It stops the workspace first, stores the plugin, executes, and says what to type next."""
    data = hello.with_name("my data.json")
    data.write_text('"hi"')
    result = cli("demo", hello, "--input", data, "--user", "bob", "--calls", "2")
    assert result.code == 0
    assert [f"{seen.method} {seen.path}" for seen in daemon.seen] == [
        "PUT /api/workspaces/user:bob",
        "POST /api/workspaces/user:bob/stop",
        "PUT /api/workspaces/user:bob/plugins/hello",
        *["POST /api/execute"] * 3,
    ]
    assert daemon.seen[0].body == {"desired": "STOPPED"}
    assert float(daemon.seen[1].query["wait"]) > 0
    for part in ('"got": "hi"', "cold", "median of 2", "container, not degraded", str(daemon.path), "abababababab"):
        assert part in result.out
    assert f" execute hello --user bob --input '{data}'" in result.out
    assert "Executing it cold" in result.err


def test_the_demo_names_the_program_as_it_can_be_called(
    cli: CommandLine, hello: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its path where it is not on `PATH`, as a user's own installation is not."""
    program = tmp_path / "my bin" / "wsmgr"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(program)])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert f"\n  '{program}' ls\n" in cli("demo", hello).out
    monkeypatch.setenv("PATH", str(program.parent))
    assert "\n  wsmgr ls\n" in cli("demo", hello).out


def test_the_demo_says_when_the_plugin_fails(cli: CommandLine, daemon: FakeDaemon, hello: Path) -> None:
    """After the first call, with exit code 3."""
    failure = ExecutionError(type="Timeout", message="It took too long.")
    daemon.tell("POST", "/api/execute", canned.executed(failure=failure, cold=True, degraded=True))
    result = cli("demo", hello)
    assert result.code == 3
    assert "The plugin failed: Timeout: It took too long." in result.out
    assert "started in 130.0 ms" in result.out
    assert "worker, degraded" in result.out
    assert len([seen for seen in daemon.seen if seen.path == "/api/execute"]) == 1


def test_a_long_result_of_the_demo_is_cut(cli: CommandLine, daemon: FakeDaemon, hello: Path) -> None:
    """So that the figures stay on the screen."""
    daemon.tell("POST", "/api/execute", canned.executed("x" * 50_000))
    result = cli("demo", hello, "--calls", "1")
    assert len(result.out) < 4_000
    assert "50002 characters in all" in result.out
