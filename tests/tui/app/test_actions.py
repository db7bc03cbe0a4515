"""Every action of the registry reaches the right workspace, or nothing."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.tui import scenes
from tests.tui.fake_daemon import daemon_with
from tests.tui.stage import Stage, settled, text_of, until
from tui.actions import REGISTRY, Action, Target, of_kind
from tui.preferences import Preferences
from tui.screens.confirm import Confirm
from tui.screens.fleet import FleetScreen
from tui.widgets.table import Table
from wsmgr.wire.fleet import FleetCaller

SIZE = (100, 30)
_PATHS = {
    "start": "POST /api/workspaces/user:carol/start",
    "resume": "POST /api/workspaces/org:acme~reports/resume",
    "touch": "POST /api/workspaces/user:alice/touch",
    "stop": "POST /api/workspaces/user:alice/stop",
    "restart": "POST /api/workspaces/user:alice/restart",
    "pause": "POST /api/workspaces/user:alice/pause",
    "recover": "POST /api/workspaces/user:carol/recover",
    "plan": "PATCH /api/owners/user:alice",
    "remove": "DELETE /api/workspaces/user:alice",
}


def _changes(stage: Stage) -> list[str]:
    return [str(call) for call in stage.daemon.calls if call.method != "GET"]


def _said(stage: Stage) -> str:
    return "\n".join(str(one.message) for one in stage.app._notifications)


async def _go(stage: Stage, pilot: Pilot[None], key: str) -> None:
    await settled(pilot)
    stage.app.screen.query_one("#fleet", Table).select(key)
    await settled(pilot)


@pytest.mark.parametrize("action", of_kind("workspace"), ids=lambda one: one.name)
async def test_every_action_reaches_the_workspace_under_the_cursor(action: Action) -> None:
    """After a question where it is dangerous, and at once where it is not; the daemon's sentence is shown."""
    stage = Stage()
    expected = _PATHS[action.name]
    async with stage.app.run_test(size=SIZE) as pilot:
        await _go(stage, pilot, "user:alice" if action.name == "plan" else expected.split("/")[3])
        await pilot.press(action.key)
        await settled(pilot)
        if action.choice == "plan":
            assert "Which plan for the owner of user:alice?" in text_of(stage.app)
            await pilot.press("down", "enter")
            await settled(pilot)
        assert isinstance(stage.app.screen, Confirm) is action.dangerous
        if action.dangerous:
            assert _changes(stage) == []
            await pilot.press("y")
            await settled(pilot)
        assert _changes(stage) == [expected]
        await settled(pilot)
        assert action.label in "\n".join(str(one.message) for one in stage.app._notifications)


async def test_a_plan_changes_and_the_owners_other_choices_stay() -> None:
    """Nothing but the plan is sent."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await _go(stage, pilot, "org:acme~reports")
        await pilot.press("N")
        await settled(pilot)
        await pilot.press("down", "enter")
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        body = stage.daemon.calls[-1].body
        assert stage.daemon.calls[-1].path == "/api/owners/org:acme"
        assert body == {"plan": "PRO"}


@pytest.mark.parametrize("no", ["n", "escape", "enter"])
async def test_no_is_no(no: str) -> None:
    """Enter alone too: the button that does nothing has the focus."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await _go(stage, pilot, "user:alice")
        await pilot.press("X")
        await settled(pilot)
        await pilot.press(no)
        await settled(pilot)
        assert isinstance(stage.app.screen, FleetScreen)
        assert _changes(stage) == []


async def test_the_question_is_about_its_workspace_whatever_rows_do() -> None:
    """The order turns and rows go while it is open; the id that was chosen is stopped."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await _go(stage, pilot, "user:alice")
        await pilot.press("X")
        await settled(pilot)
        stage.daemon.drop("org:acme", "org:acme~reports")
        stage.daemon.put(scenes.workspace("org:aaa", number=1), scenes.workspace("user:aaa", number=1))
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert _changes(stage) == ["POST /api/workspaces/user:alice/stop"]


async def test_a_workspace_that_went_while_the_question_was_open() -> None:
    """Nothing is done, to nobody."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await _go(stage, pilot, "user:alice")
        await pilot.press("D")
        await settled(pilot)
        stage.daemon.drop("user:alice")
        await settled(pilot)
        assert "user:alice · RUNNING → GONE now" in text_of(stage.app)
        await pilot.press("y")
        await settled(pilot)
        assert _changes(stage) == []
        assert "user:alice is gone; nothing was done" in "\n".join(str(one.message) for one in stage.app._notifications)


async def test_a_state_that_is_another_now() -> None:
    """What was asked of a running workspace is not done to a failed one."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await _go(stage, pilot, "user:alice")
        await pilot.press("X")
        await settled(pilot)
        stage.daemon.put(scenes.workspace("user:alice", "ERROR"))
        await settled(pilot)
        assert "→ ERROR now: it will be left alone" in text_of(stage.app)
        await pilot.press("y")
        await settled(pilot)
        assert _changes(stage) == []


async def test_marked_ones_are_done_together_and_failures_are_told() -> None:
    """Each with the daemon's own sentence."""
    stage = Stage()
    stage.daemon.refuse("POST /api/workspaces/user:user9/stop", "The daemon is stopping.")
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"status:running", "enter", "asterisk", "X")
        await settled(pilot)
        assert "Stop 4 workspaces?" in text_of(stage.app)
        await pilot.press("y")
        await settled(pilot)
        assert sorted(stage.daemon.asked()) == [
            f"/api/workspaces/{key}/stop" for key in ("org:acme", "user:alice", "user:user10", "user:user9")
        ]
        said = "\n".join(str(one.message) for one in stage.app._notifications)
        assert "Stop: 3 were done." in said
        assert "Stop user:user9 failed: The daemon is stopping." in said


async def test_an_action_that_makes_no_sense_is_not_sent() -> None:
    """A running workspace is not started."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await _go(stage, pilot, "user:alice")
        await pilot.press("s")
        await settled(pilot)
        assert _changes(stage) == []
        assert "user:alice is RUNNING" in "\n".join(str(one.message) for one in stage.app._notifications)


async def test_the_operator_chooses_what_asks() -> None:
    """Per action, both ways."""
    stage = Stage(preferences=Preferences(confirm={"stop": False, "touch": True}))
    async with stage.app.run_test(size=SIZE) as pilot:
        await _go(stage, pilot, "user:alice")
        await pilot.press("t")
        await settled(pilot)
        assert isinstance(stage.app.screen, Confirm)
        await pilot.press("n", "X")
        await settled(pilot)
        assert _changes(stage) == ["POST /api/workspaces/user:alice/stop"]


async def test_read_only_offers_and_does_nothing() -> None:
    """No key, no palette, and not the door itself."""
    stage = Stage(preferences=Preferences(read_only=True))
    async with stage.app.run_test(size=(160, 30)) as pilot:
        await _go(stage, pilot, "user:alice")
        for action in REGISTRY:
            await pilot.press(action.key)
            await settled(pilot)
            while not isinstance(stage.app.screen, FleetScreen):
                await pilot.press("escape")
                await settled(pilot)
        titles = [command.title for command in stage.app.get_system_commands(stage.app.screen)]
        for action in REGISTRY:
            stage.app.act(action.name, [Target("user:alice", "RUNNING")])
            assert not any(title.startswith(f"{action.label} ") for title in titles)
        await settled(pilot)
        assert _changes(stage) == []
        shown = text_of(stage.app)
        assert "READ-ONLY" in shown
        assert "X Stop" not in shown


async def test_the_daemons_role_makes_it_read_only_as_the_flag_does() -> None:
    """No key and no door; and it is said why. An admin acts."""
    stage = Stage(daemon_with(scenes.usual(), caller=FleetCaller(actor="uid:1000", role="viewer")))
    async with stage.app.run_test(size=(160, 30)) as pilot:
        await _go(stage, pilot, "user:alice")
        shown = text_of(stage.app)
        assert "READ-ONLY" in shown
        assert "X Stop" not in shown
        await pilot.press("X", "s")
        stage.app.act("touch", [Target("user:alice", "RUNNING")])
        await settled(pilot)
        assert _changes(stage) == []
        assert "the daemon gives uid:1000 the role viewer" in _said(stage)
        stage.daemon.caller = FleetCaller(actor="uid:1000", role="admin")
        stage.daemon.lose()
        stage.daemon.heal()
        await until(pilot, lambda: "X Stop" in text_of(stage.app) and "READ-ONLY" not in text_of(stage.app))


async def test_a_rollback_is_not_offered_to_those_who_only_look() -> None:
    """Also not on the tab that has the key."""
    stage = Stage(preferences=Preferences(read_only=True))
    async with stage.app.run_test(size=SIZE) as pilot:
        await _go(stage, pilot, "user:alice")
        await pilot.press("enter", "p")
        await until(pilot, lambda: "✔ current" in text_of(stage.app))
        assert "B Roll back" not in text_of(stage.app)
        assert not any(one.binding.key == "B" for one in stage.app.screen.active_bindings.values())


async def test_the_palette_has_every_action_for_the_row_under_the_cursor() -> None:
    """And runs it through the same door."""
    stage = Stage(daemon_with(scenes.usual()))
    async with stage.app.run_test(size=SIZE) as pilot:
        await _go(stage, pilot, "user:alice")
        commands = {command.title: command for command in stage.app.get_system_commands(stage.app.screen)}
        assert {f"{action.label} user:alice" for action in of_kind("workspace")} <= set(commands)
        commands["Stop user:alice"].callback()
        await settled(pilot)
        assert isinstance(stage.app.screen, Confirm)
