"""`events` and `alerts`."""

from __future__ import annotations

import json

from tests.cli.conftest import CommandLine
from tests.client.canned import event
from tests.client.fake_daemon import Answer, FakeDaemon, Seen
from wsmgr.wire.alert import AlertPage
from wsmgr.wire.event import Event, EventPage
from wsmgr.wire.problem import Problem


def stream(daemon: FakeDaemon, *told: Event) -> None:
    """The stream gives those, and is refused when it is asked for again, so that the command ends."""
    body = "".join(f"id: {one.id}\ndata: {one.model_dump_json()}\n\n" for one in told).encode()
    left = [Answer(200, body, "text/event-stream")]
    end = Problem(title="t", status=403, code="forbidden", detail="The end of this test.", retryable=False)

    def answer(_: Seen) -> Answer:
        return left.pop() if left else Answer(403, end.model_dump_json().encode())

    daemon.told["GET", "/api/events"] = answer


def test_events_are_told_oldest_first_with_what_was_changed(cli: CommandLine) -> None:
    """Of all workspaces, and of one."""
    assert "start  uid:0  asked" in cli("events", "user:alice").out
    lines = cli("events").out.splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("workspace.stopped  uid:0  Asked for.  desired: RUNNING → STOPPED")


def test_followed_events_go_on_after_the_listed_ones(cli: CommandLine, daemon: FakeDaemon) -> None:
    """Each once; as one JSON document a line."""
    stream(daemon, event(3), event(4, "user:bob"))
    result = cli("events", "--follow", "--json")
    assert [json.loads(line)["id"] for line in result.out.splitlines()] == [1, 2, 3, 4]
    followed = [seen for seen in daemon.seen if seen.path == "/api/events"]
    assert [seen.headers["last-event-id"] for seen in followed] == ["2", "4"]


def test_followed_events_of_one_workspace_are_its_own(cli: CommandLine, daemon: FakeDaemon) -> None:
    """The stream is that of the whole daemon."""
    stream(daemon, event(3), event(4, "user:bob"))
    result = cli("events", "user:alice", "--follow", "--json")
    assert [json.loads(line)["id"] for line in result.out.splitlines()] == [1, 3]


def test_nothing_has_happened_is_said_beside_the_result(cli: CommandLine, daemon: FakeDaemon) -> None:
    """Standard output stays empty."""
    daemon.tell("GET", "/api/audit", EventPage(items=[]))
    result = cli("events")
    assert (result.code, result.out) == (0, "")
    assert "Nothing has happened" in result.err


def test_alerts_are_listed(cli: CommandLine, daemon: FakeDaemon) -> None:
    """Open ones; with --all the resolved ones are asked for too."""
    result = cli("alerts")
    assert result.code == 0
    assert "✖ critical" in result.out
    assert "It exited by itself with code 2." in result.out
    assert "all" not in daemon.last.query
    cli("alerts", "--all")
    assert daemon.last.query["all"] == "true"
    daemon.tell("GET", "/api/alerts", AlertPage(items=[]))
    assert "no open alerts" in cli("alerts").err


def test_an_alert_is_acknowledged(cli: CommandLine, daemon: FakeDaemon) -> None:
    """Its number is that of the list."""
    result = cli("alerts", "ack", "7")
    assert (result.code, result.out) == (0, "7  known to uid:0\n")
    assert [seen.path for seen in daemon.seen] == ["/api/alerts/7/ack"]
