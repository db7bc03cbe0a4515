"""The other screens: what they show, and what their keys do."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest
from textual._styles_cache import StylesCache

from tests.client import canned
from tests.tui import scenes
from tests.tui.fake_daemon import daemon_with
from tests.tui.stage import Stage, settled, text_of, until
from tui.screens.confirm import Confirm
from tui.screens.fleet import FleetScreen
from tui.screens.workspace import TABS, WorkspaceScreen
from tui.widgets.graph import Graph
from tui.widgets.listing import Listing

SIZE = (120, 40)


def _said(stage: Stage) -> str:
    return "\n".join(str(one.message) for one in stage.app._notifications)


async def test_what_was_left_is_not_kept() -> None:
    """An operator goes in and out of workspaces for hours: nothing of what was drawn outlives that. The control counts
    the same things while they are there."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        rested, there = len(_drawn()), 0
        for _ in range(5):
            await pilot.press("enter")
            await until(pilot, lambda: len(stage.app.screen.query(Graph)) == 4)
            await settled(pilot)
            there = there or len(_drawn())
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(stage.app.screen, FleetScreen))
            await settled(pilot)
        assert there >= rested + 4
        left = _drawn()
        # Timers that were cancelled keep what they were for until they are swept up: no more than one round's.
        assert sum(isinstance(one, Graph) for one in left) <= 4
        assert len(left) < rested + 2 * (there - rested)


def _drawn() -> list[object]:
    """All graphs, and all that widgets remember of what they look like."""
    gc.collect()
    return [one for one in gc.get_objects() if isinstance(one, Graph | StylesCache)]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("A", ["✖ critical", "It exited by itself with code 2.", "open"]),
        ("E", ["workspace.stopped", "uid:0", "desired: RUNNING → STOPPED"]),
        (
            "H",
            [
                "memory",
                "✖ absent",
                "This host has cgroups v1",
                "Linux 6.1",
                "podman 4.3.1",
                "localhost/wsmgr-node:latest",
            ],
        ),
        ("question_mark", ["This help", "EVERYWHERE"]),
    ],
)
async def test_the_pages(key: str, words: list[str]) -> None:
    """One key there, escape back."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press(key)
        await until(pilot, lambda: words[0] in text_of(stage.app))
        await settled(pilot)
        shown = text_of(stage.app)
        for word in words:
            assert word in shown
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(stage.app.screen, FleetScreen)


@pytest.mark.parametrize(
    ("tab", "words"),
    [
        ("overview", ["[1h]", "CPU", "Memory", "Network/s", "Executions/min"]),
        ("executions", ["✔ succeeded", "● running", "Exception: no"]),
        ("plugins", ["hello", "✔ current", "2.0K"]),
        ("events", ["workspace.stopped", "Asked for."]),
        ("logs", ["WHAT PLUGINS PRINT: 4 lines, since 15m", "11:59:20.131 hello info  reading 1", "following"]),
        ("health", ["✔ healthy", "last asked 10s ago", "3 of 3 restarts left in 5m", "workspace.failed"]),
        ("limits", ["memory", "128M", "✖ absent", "open files", "? not tried", "✔ wsmgr"]),
    ],
)
async def test_the_tabs_of_a_workspace(tab: str, words: list[str]) -> None:
    """Enter opens a workspace; each tab has a key."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(stage.app.screen, WorkspaceScreen)
        await pilot.press(next(key for name, key, _ in TABS if name == tab))
        await until(pilot, lambda: all(word in text_of(stage.app) for word in words))
        assert "org:acme  ● RUNNING" in text_of(stage.app)


async def test_tabs_side_by_side() -> None:
    """Around the end."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "HOW IT IS KNOWN" in text_of(stage.app))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "Network/s" in text_of(stage.app))


async def test_ranges_and_the_cursor_of_the_graphs() -> None:
    """A key each; the range is remembered, the cursor reads one moment in all graphs."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "Network/s" in text_of(stage.app))
        await pilot.press("4")
        await until(pilot, lambda: "[24h]" in text_of(stage.app))
        assert stage.session.memory.range == "24h"
        ranges = [call.query["range"] for call in stage.daemon.calls if call.path.endswith("/usage")]
        assert ranges[-1] == "24h"
        assert all(int(call.query["points"]) <= 240 for call in stage.daemon.calls if call.path.endswith("/usage"))
        newest = text_of(stage.app).split("\n")[7]
        await pilot.press("left", "left")
        await settled(pilot)
        assert text_of(stage.app).split("\n")[7] != newest
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(stage.app.screen, WorkspaceScreen)
        assert text_of(stage.app).split("\n")[7] == newest


async def test_an_action_on_the_open_workspace() -> None:
    """The same keys as in the fleet."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("R")
        await settled(pilot)
        assert isinstance(stage.app.screen, Confirm)
        await pilot.press("y")
        await settled(pilot)
        assert stage.daemon.asked() == ["/api/workspaces/org:acme/restart"]


async def test_a_workspace_that_goes_while_it_is_looked_at() -> None:
    """It says so, and nothing can be done to it."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        stage.daemon.drop("org:acme")
        await settled(pilot)
        assert "It is gone" in text_of(stage.app)
        await pilot.press("X")
        await settled(pilot)
        assert stage.daemon.asked() == []
        assert "nothing is selected" in _said(stage)


async def test_an_execution_in_full() -> None:
    """Enter reads it, escape goes back to the list."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("enter", "e")
        await until(pilot, lambda: "✖ failed" in text_of(stage.app))
        await pilot.press("down", "enter")
        await settled(pilot)
        assert "ERROR      Exception: no" in text_of(stage.app)
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(stage.app.screen, WorkspaceScreen)


async def test_rolling_back_to_the_version_under_the_cursor() -> None:
    """After a question that names plugin and version."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("enter", "p")
        await until(pilot, lambda: "✔ current" in text_of(stage.app))
        await pilot.press("enter")
        await until(pilot, lambda: "cdcdcdcdcdcd" in text_of(stage.app))
        await pilot.press("B")
        await settled(pilot)
        assert "is current already" in _said(stage)
        await pilot.press("down", "B")
        await settled(pilot)
        assert "Roll back org:acme hello to cdcdcdcdcdcd?" in text_of(stage.app)
        await pilot.press("y")
        await settled(pilot)
        assert str(stage.daemon.calls[-1]).startswith(("POST", "GET"))
        rolled = next(call for call in stage.daemon.calls if call.method == "POST")
        assert (rolled.path, rolled.body) == ("/api/workspaces/org:acme/plugins/hello/rollback", {"version": "cd" * 32})
        await pilot.press("escape")
        await until(pilot, lambda: "cdcdcdcdcdcd" not in text_of(stage.app))


async def test_an_alert_is_acknowledged() -> None:
    """The one under the cursor; the list shows it."""
    daemon = daemon_with(scenes.usual(), alerts=[canned.alert(9), canned.alert(7)])
    stage = Stage(daemon)
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("A")
        await until(pilot, lambda: "✖ critical" in text_of(stage.app))
        await pilot.press("down", "a")
        await until(pilot, lambda: "known" in text_of(stage.app))
        assert daemon.asked() == ["/api/alerts/7/ack"]
        await pilot.press("l")
        await settled(pilot)
        assert isinstance(stage.app.screen, WorkspaceScreen)
        assert stage.app.screen.key == "user:alice"


async def test_events_are_filtered_and_exported(tmp_path: Path) -> None:
    """All that the filter lets through, one document a line; a file that is there is left alone."""
    events = [canned.event(number, "user:bob" if number % 2 else "user:alice") for number in range(700, 0, -1)]
    stage = Stage(daemon_with(scenes.usual(), events=events))
    path = tmp_path / "events.jsonl"
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("E")
        await until(pilot, lambda: "workspace.stopped" in text_of(stage.app))
        await pilot.press("slash", *"target:bob", "enter", "w")
        await settled(pilot)
        field = stage.app.screen.query_one("Input")
        field.value = str(path)  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: "350 lines written" in _said(stage))
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert len(lines) == 350
        assert {line["workspace"] for line in lines} == {"user:bob"}
        await pilot.press("w")
        await settled(pilot)
        stage.app.screen.query_one("Input").value = str(path)  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: "exists already" in _said(stage))


async def test_older_events_come_when_the_cursor_reaches_the_end() -> None:
    """Page by page."""
    events = [canned.event(number) for number in range(450, 0, -1)]
    stage = Stage(daemon_with(scenes.usual(), events=events))
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("E")
        listing = stage.app.screen.query_one("#events", Listing)
        await until(pilot, lambda: len(listing.items) == 200)
        await pilot.press("end")
        await until(pilot, lambda: len(listing.items) == 400)
        await pilot.press("end")
        await until(pilot, lambda: len(listing.items) == 450)
        await pilot.press("end")
        await settled(pilot)
        assert len({str(one.id) for one in listing.items}) == 450


async def test_an_answer_that_does_not_come_is_explained_where_it_is_missed() -> None:
    """The rest goes on."""
    stage = Stage()
    stage.daemon.refuse("GET /api/alerts", "The store is away.", 503, "store_unavailable")
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("A")
        await until(pilot, lambda: "The store is away." in text_of(stage.app))
        assert "● live" in text_of(stage.app)


async def test_copying_goes_to_the_operators_terminal() -> None:
    """And says so."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert "Copied 8 characters." in _said(stage)


async def test_the_palette_goes_everywhere() -> None:
    """Screens, orders, themes."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        commands = {command.title: command for command in stage.app.get_system_commands(stage.app.screen)}
        assert {"Go to alerts", "Sort by memory", "Theme", "Quit"} <= set(commands)
        commands["Sort by memory"].callback()
        await settled(pilot)
        assert stage.session.memory.sort == "mem"
        await pilot.press("colon")
        await settled(pilot)
        assert "alette" in type(stage.app.screen).__name__
