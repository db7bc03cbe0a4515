"""`top` and `tui` on the command line."""

from __future__ import annotations

import pytest

from tests.cli.conftest import CommandLine
from tests.client import canned
from tests.client.fake_daemon import Answer, FakeDaemon
from tests.tui import scenes
from wsmgr.wire.fleet import FleetSnapshot


@pytest.fixture
def fleet(daemon: FakeDaemon) -> FakeDaemon:
    """A daemon with a live view of eight workspaces."""
    snapshot = FleetSnapshot(workspaces=scenes.usual(), host=canned.fleet_host())
    stream = f": here\n\nevent: snapshot\ndata: {snapshot.model_dump_json()}\n\n".encode()
    daemon.told["GET", "/api/fleet/stream"] = lambda _: Answer(200, stream, "text/event-stream")
    return daemon


def _ids(shown: str) -> list[str]:
    return [line.split()[0] for line in shown.splitlines() if line.startswith(("user:", "org:"))]


def test_top_prints_one_frame_without_colour_for_a_pipe(fleet: FakeDaemon, cli: CommandLine) -> None:
    """The busiest first; the host, the warning that stands, and the table."""
    del fleet
    seen = cli("top")
    assert seen.code == 0
    assert "\x1b" not in seen.out
    assert "8 workspaces" in seen.out.splitlines()[0]
    assert "This host does not enforce: memory, cpu" in seen.out
    assert _ids(seen.out)[0] == "org:acme"
    assert max(map(len, seen.out.splitlines())) <= 160


def test_top_filters_sorts_and_ends(fleet: FakeDaemon, cli: CommandLine) -> None:
    """In the words of the terminal UI."""
    del fleet
    assert _ids(cli("top", "--filter", "status:run !acme", "--sort", "id").out) == [
        "user:alice",
        "user:user9",
        "user:user10",
    ]
    seen = cli("top", "-n", "2")
    assert len(_ids(seen.out)) == 2
    assert "and 6 more" in seen.out


def test_top_as_json_is_one_document(fleet: FakeDaemon, cli: CommandLine) -> None:
    """The host, and the workspaces that the filter lets through."""
    del fleet
    told = cli("top", "--json", "--filter", "status:error").json
    assert told["host"]["daemonVersion"] == "0.1.0"
    assert [one["id"] for one in told["workspaces"]] == ["user:carol"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--filter", "cpu>x"], "`cpu>` needs a number"), (["--sort", "colour"], "There is no column 'colour'")],
)
def test_a_mistake_is_a_sentence_and_asks_nothing(
    arguments: list[str], said: str, daemon: FakeDaemon, cli: CommandLine
) -> None:
    """Before the daemon is asked."""
    seen = cli("top", *arguments)
    assert seen.code == 1
    assert said in seen.err
    assert daemon.seen == []


def test_the_tui_needs_a_terminal(cli: CommandLine) -> None:
    """And names what works without one."""
    seen = cli("tui")
    assert seen.code == 1
    assert "needs a terminal; `wsmgr top`" in seen.err
