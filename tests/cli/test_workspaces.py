"""What operators do with workspaces, plugins and records."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from tests.client import canned
from tests.client.fake_daemon import Answer, FakeDaemon, Seen
from wsmgr.wire.execution import ExecutionPage
from wsmgr.wire.plugin import PluginVersionPage
from wsmgr.wire.workspace import LogPage, ResourceUsage, Workspace, WorkspacePage

A = "user:alice"


def _pages(*pages: WorkspacePage | ExecutionPage) -> Callable[[Seen], Answer]:
    """Pages whose cursors are their numbers."""

    def answer(seen: Seen) -> Answer:
        return Answer(200, pages[int(seen.query.get("before", 0))].model_dump_json().encode())

    return answer


def test_ls_is_a_plain_table_in_a_pipe(cli: CommandLine) -> None:
    """Whole, aligned, without escapes; the state is a word with a glyph."""
    result = cli("ls")
    assert result.code == 0
    head, first, second = result.out.splitlines()
    names = ["WORKSPACE", "STATUS", "PLAN", "ISOLATION", "RUNTIME", "HEALTH", "MEMORY", "CPU", "ACTIVE", "WHY"]
    assert head.split() == names
    assert first.startswith("user:alice        ● RUNNING  FREE  container  node 24  ok 12 s  28.5 MiB  1.5 %")
    assert second.endswith("Stopped; the next call starts it.")
    assert "\x1b" not in result.out
    assert result.err == "2 workspaces\n"


def test_ls_reads_every_page(cli: CommandLine, daemon: FakeDaemon) -> None:
    """To the last."""
    daemon.told["GET", "/api/workspaces"] = _pages(
        WorkspacePage(items=[canned.workspace()], next="1"), WorkspacePage(items=[canned.workspace("user:bob")])
    )
    assert [item["id"] for item in cli("ls", "--json").json] == [A, "user:bob"]
    assert cli("ls").err == "2 workspaces\n"


def test_an_empty_list_says_what_makes_the_first(cli: CommandLine, daemon: FakeDaemon) -> None:
    """On standard error: there is no data."""
    daemon.tell("GET", "/api/workspaces", WorkspacePage(items=[]))
    daemon.tell("GET", f"/api/workspaces/{A}/plugins", PluginVersionPage(items=[]))
    daemon.tell("GET", f"/api/workspaces/{A}/executions", ExecutionPage(items=[]))
    daemon.tell("GET", f"/api/workspaces/{A}/logs", LogPage(items=[]))
    for arguments, sentence in [
        (("ls",), "There are no workspaces yet"),
        (("plugin", "ls", A), "has no plugins; `wsmgr plugin put` stores one"),
        (("executions", A), "Nothing has run in user:alice yet"),
        (("logs", A), "has written nothing"),
    ]:
        result = cli(*arguments)
        assert (result.code, result.out) == (0, "")
        assert sentence in result.err
        assert cli(*arguments, "--json").json == []


def test_show_says_everything_and_which_limits_are_none(cli: CommandLine, daemon: FakeDaemon) -> None:
    """A limit that is configured and not enforced is worse than none."""
    out = cli("show", A).out
    for part in (
        "● RUNNING",
        "28.5 MiB of 128 MiB",
        "not enforced on this host: cpus",
        "hello (abababababab)",
        "1 min",
    ):
        assert part in out
    held = canned.workspace().model_copy(
        update={"limits_enforced": {"memory": True}, "resource_usage": ResourceUsage()}
    )
    daemon.tell("GET", f"/api/workspaces/{A}", held)
    out = cli("show", A).out
    assert "all enforced" in out
    assert "- of 128 MiB" in out


@pytest.mark.parametrize(
    ("verb", "status"), [("start", "RUNNING"), ("stop", "STOPPED"), ("restart", "RUNNING"), ("recover", "RUNNING")]
)
def test_a_verb_acts_on_each_and_waits(verb: str, status: str, cli: CommandLine, daemon: FakeDaemon) -> None:
    """In the order that was typed."""
    result = cli(verb, A, "org:acme~reports", "--wait", "5")
    assert result.code == 0
    assert [seen.path for seen in daemon.seen] == [f"/api/workspaces/{name}/{verb}" for name in (A, "org:acme~reports")]
    assert {seen.query["wait"] for seen in daemon.seen} == {"5.0"}
    assert result.out.count(status) == 2


def test_a_verb_that_did_not_get_there_in_time_ends_with_1(cli: CommandLine, daemon: FakeDaemon) -> None:
    """With the reason; without waiting nothing was promised."""
    still = canned.workspace(A, "CREATING", reason="The image is missing.")
    daemon.tell("POST", f"/api/workspaces/{A}/start", still, status=202)
    result = cli("start", A, "--wait", "5")
    assert result.code == 1
    assert "user:alice is CREATING and not RUNNING after 5 s: The image is missing." in result.err
    assert cli("start", A, "--wait", "0").code == 0


def test_one_that_fails_does_not_keep_the_others(cli: CommandLine, daemon: FakeDaemon) -> None:
    """Each is tried, the failure is named, and the exit code says that there was one."""
    daemon.refuse("POST", f"/api/workspaces/{A}/stop", 404, "not_found", "There is no such workspace.")
    result = cli("stop", A, "user:bob")
    assert result.code == 1
    assert "wsmgr: user:alice: There is no such workspace." in result.err
    assert result.out.startswith("user:bob  ○ STOPPED")
    seen: list[object] = [Workspace.model_validate(item).id for item in cli("stop", A, "user:bob", "--json").json]
    assert seen == ["user:bob"]


@pytest.mark.parametrize("arguments", [("rm", A), ("plugin", "rm", A, "hello"), ("token", "rm", "t")], ids=" ".join)
def test_nothing_is_removed_when_nobody_can_be_asked(
    arguments: tuple[str, ...], cli: CommandLine, daemon: FakeDaemon
) -> None:
    """In a script, --yes must be written."""
    result = cli(*arguments)
    assert (result.code, result.out) == (2, "")
    assert "pass --yes" in result.err
    assert daemon.seen == []


def test_rm_removes_what_was_named(cli: CommandLine, daemon: FakeDaemon) -> None:
    """Each of them."""
    result = cli("rm", "--yes", A, "user:bob")
    assert result.out == "user:alice  removed\nuser:bob  removed\n"
    assert [seen.method for seen in daemon.seen] == ["DELETE", "DELETE"]
    assert cli("plugin", "rm", "--yes", A, "hello").out == "hello  removed\n"
    assert daemon.last.path == f"/api/workspaces/{A}/plugins/hello"


def test_a_name_that_means_another_path_is_refused(cli: CommandLine, daemon: FakeDaemon) -> None:
    """`plugins/..` would have removed the workspace."""
    result = cli("plugin", "rm", "--yes", A, "..")
    assert (result.code, result.err) == (1, "wsmgr: '..' is not a name.\n")
    assert daemon.seen == []


def test_plugin_put_stores_a_file(cli: CommandLine, daemon: FakeDaemon, hello: Path) -> None:
    """Under the file's name or another; warnings stand beside the result."""
    result = cli("plugin", "put", A, hello)
    assert result.out == "hello  abababababab  a running workspace serves it now\n"
    assert result.err == "3:7: warning: eval is used\n"
    assert daemon.last.body == {"language": "javascript", "code": hello.read_text()}
    other = cli("plugin", "put", A, hello, "--slug", "other")
    assert other.out == "other  abababababab  the next call brings it to the workspace\n"


def test_plugin_versions_are_listed(cli: CommandLine, daemon: FakeDaemon) -> None:
    """The current one is marked by a word; going back can name a version."""
    lines = cli("plugin", "show", A, "hello").out.splitlines()
    assert [("current" in line) for line in lines[1:]] == [True, False]
    assert "2.0 KiB" in lines[1]
    assert cli("plugin", "ls", A).out.splitlines()[1].split()[:2] == ["hello", "abababababab"]
    for named in (canned.OLDER, canned.OLDER[:6].upper()):
        cli("plugin", "rollback", A, "hello", "--version", named)
        assert daemon.last.body == {"version": canned.OLDER}
    refused = cli("plugin", "rollback", A, "hello", "--version", "beef")
    assert (refused.code, daemon.last.method) == (1, "GET")
    assert f"no version beginning with 'beef'; it has {canned.VERSION[:12]}, {canned.OLDER[:12]}." in refused.err


def test_executions_are_listed_newest_first(cli: CommandLine) -> None:
    """With how each ended."""
    lines = cli("executions", A).out.splitlines()
    assert [line.split()[0] for line in lines] == ["EXECUTION", "e-2", "e-1", "e-0"]
    assert "✖ failed" in lines[1]
    assert lines[1].endswith("Exception: no")
    assert "cold, 130.0 ms" in lines[2]


def test_executions_are_read_until_there_are_enough(cli: CommandLine, daemon: FakeDaemon) -> None:
    """Over pages, and no further."""
    daemon.told["GET", f"/api/workspaces/{A}/executions"] = _pages(
        ExecutionPage(items=[canned.execution(f"a-{n}") for n in range(2)], next="1"),
        ExecutionPage(items=[canned.execution(f"b-{n}") for n in range(2)], next="2"),
        ExecutionPage(items=[canned.execution("c-0")]),
    )
    assert [item["id"] for item in cli("executions", A, "-n", "3", "--json").json] == ["a-0", "a-1", "b-0"]
    assert [seen.query["limit"] for seen in daemon.seen] == ["3", "1"]
    assert len(cli("executions", A, "--json").json) == 5


def test_logs_are_harmless_on_a_terminal(cli: CommandLine, daemon: FakeDaemon) -> None:
    """What a workspace wrote must not move the operator's cursor."""
    assert cli("logs", A, "-n", "7").out == "ready\na line \\x1b[31mred\n"
    assert daemon.last.query == {"lines": "7"}
