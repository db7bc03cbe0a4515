"""The daemon goes, hangs, refuses, and comes back: the operator sees why, and loses nothing."""

from __future__ import annotations

import asyncio

import pytest
from rich.console import RenderableType
from textual.pilot import Pilot
from textual.screen import Screen

from tests.tui import scenes
from tests.tui.fake_daemon import GONE, FakeDaemon, daemon_with, refused
from tests.tui.stage import Stage, quiet, settled, text_of
from tui.app import WsmgrApp
from tui.widgets.table import Table
from wsmgr.client import AnswerTimeout, ClientError, ConnectionLost, DaemonUnreachable, UnexpectedAnswer

SIZE = (100, 30)


async def _until_live(stage: Stage, pilot: Pilot[None]) -> None:
    async with asyncio.timeout(20):
        while not stage.session.link.live:  # the retry is the application's own
            await pilot.pause(0.02)
    await settled(pilot)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (GONE, "DAEMON GONE"),
        (DaemonUnreachable("The socket may not be used by bob: permission denied. Join the group."), "NO PERMISSION"),
        (AnswerTimeout("The daemon has said nothing for 2.5 s."), "DAEMON HANGS"),
        (ConnectionLost("The daemon ended the stream."), "CONNECTION LOST"),
        (UnexpectedAnswer("Not what this client knows."), "VERSION MISMATCH"),
        (refused(403, "forbidden", "/api/fleet is for the role admin."), "NOT AN ADMIN"),
    ],
)
async def test_why_there_is_no_connection_is_said_and_it_heals(error: ClientError, said: str) -> None:
    """What was known stays in view meanwhile; cursor, filter and marks are there when it is back."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"user", "enter", "space", "down")
        cursor = stage.app.screen.query_one("#fleet", Table).cursor
        stage.daemon.lose(error)
        await settled(pilot)
        stage.clock.forward(12)
        await settled(pilot)
        shown = text_of(stage.app)
        assert said in shown
        assert "user:alice" in shown
        assert error.sentence[:40] in shown
        assert "✖" in shown.split("\n")[0]
        await pilot.press("X")
        await settled(pilot)
        assert stage.daemon.asked() == []
        stage.daemon.heal()
        await _until_live(stage, pilot)
        assert said not in text_of(stage.app)
        table = stage.app.screen.query_one("#fleet", Table)
        assert table.cursor == cursor
        assert table.marked == {"user:alice"}
        assert len(table.keys) == 6


async def test_a_daemon_that_is_away_from_the_beginning() -> None:
    """The program waits for it."""
    daemon = FakeDaemon()
    daemon.lose()
    stage = Stage(daemon)
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert "no data yet" in text_of(stage.app)
        assert "Waiting for the daemon." in text_of(stage.app)
        daemon.workspaces = {"user:late": scenes.workspace("user:late")}
        daemon.heal()
        await _until_live(stage, pilot)
        assert "user:late" in text_of(stage.app)


async def test_what_changed_while_it_was_away_is_seen_at_once() -> None:
    """The first thing after a connection is a snapshot."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        stage.daemon.lose()
        await settled(pilot)
        del stage.daemon.workspaces["user:alice"]
        stage.daemon.workspaces["user:new"] = scenes.workspace("user:new")
        stage.daemon.heal()
        await _until_live(stage, pilot)
        keys = stage.app.screen.query_one("#fleet", Table).keys
        assert "user:new" in keys
        assert "user:alice" not in keys


async def test_a_question_that_is_open_when_the_daemon_goes() -> None:
    """Yes does nothing then, and says so."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("X")
        await settled(pilot)
        stage.daemon.lose()
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert stage.daemon.asked() == []
        assert "There is no connection" in "\n".join(str(one.message) for one in stage.app._notifications)


class CountingApp(WsmgrApp):
    """Counts what it sends to the terminal."""

    painted = 0

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        self.painted += 1
        super()._display(screen, renderable)


async def test_nothing_new_paints_nothing() -> None:
    """A pulse each second costs no byte."""
    stage = Stage(daemon_with(scenes.fleet(50)), app=CountingApp)
    assert isinstance(stage.app, CountingApp)
    async with stage.app.run_test(size=SIZE) as pilot:
        await quiet(stage, pilot)
        before = stage.app.painted
        for _ in range(3):
            stage.daemon.pulse()
            await settled(pilot)
        # Longer than the clock of ages takes.
        await pilot.pause(1.2)
        assert stage.app.painted == before
        stage.daemon.put(scenes.workspace("user:u0001", number=2))
        await settled(pilot)
        assert stage.app.painted > before
