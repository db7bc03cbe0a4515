"""The fleet on the screen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual import events
from textual.widgets import Input

from tests.client import canned
from tests.tui import scenes
from tests.tui.fake_daemon import FakeDaemon, daemon_with
from tests.tui.stage import Stage, settled, text_of
from tui.preferences import Memory
from tui.widgets.table import Table

SIZE = (100, 30)


def _rows(stage: Stage) -> list[str]:
    return list(stage.app.screen.query_one("#fleet", Table).keys)


def _table(stage: Stage) -> Table:
    return stage.app.screen.query_one("#fleet", Table)


async def test_all_workspaces_by_id() -> None:
    """With their figures."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert _rows(stage) == [
            "org:acme", "org:acme~reports", "user:alice", "user:bob", "user:carol", "user:dave", "user:user9",
            "user:user10",
        ]  # fmt: skip
        shown = text_of(stage.app)
        assert "● RUNNING" in shown
        assert "123M/128M" in shown
        assert "● live" in shown
        assert "This host does not enforce: memory, cpu" in shown


async def test_the_cursor_stays_on_its_workspace_while_rows_move() -> None:
    """After a sort, a filter, rows that come and go."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("down", "down")
        assert _table(stage).cursor == "user:alice"
        await pilot.press("i")
        await settled(pilot)
        assert _rows(stage).index("user:alice") == 5
        assert _table(stage).cursor == "user:alice"
        stage.daemon.put(scenes.workspace("org:zz", number=4), scenes.workspace("user:zz", number=4))
        stage.daemon.drop("org:acme")
        await settled(pilot)
        assert _table(stage).cursor == "user:alice"
        await pilot.press("slash", *"alice", "enter")
        await settled(pilot)
        assert _rows(stage) == ["user:alice"]
        await pilot.press("escape")
        await settled(pilot)
        assert _table(stage).cursor == "user:alice"


async def test_a_workspace_removed_under_the_cursor() -> None:
    """The cursor goes to the row in its place; at the end to the last; with no row there is none."""
    stage = Stage(daemon_with([scenes.workspace(f"user:{name}") for name in "abc"]))
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("down")
        stage.daemon.drop("user:b")
        await settled(pilot)
        assert _table(stage).cursor == "user:c"
        stage.daemon.drop("user:c")
        await settled(pilot)
        assert _table(stage).cursor == "user:a"
        stage.daemon.drop("user:a")
        await settled(pilot)
        assert _table(stage).cursor is None
        assert "No workspace yet" in text_of(stage.app)
        stage.daemon.put(scenes.workspace("user:d"))
        await settled(pilot)
        assert _table(stage).cursor == "user:d"


async def test_sorting_by_keys_and_by_the_head() -> None:
    """Both ways, and remembered."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("greater_than_sign")
        await settled(pilot)
        assert _rows(stage)[0] == "user:carol"
        assert "STATUS▲" in text_of(stage.app)
        head = next(y for y, line in enumerate(text_of(stage.app).split("\n")) if "MEMORY" in line)
        at = text_of(stage.app).split("\n")[head].index("MEMORY")
        await pilot.click(offset=(at, head))
        await settled(pilot)
        assert _rows(stage)[0] == "org:acme"
        assert (stage.session.memory.sort, stage.session.memory.descending) == ("mem", True)
        await pilot.press("i")
        await settled(pilot)
        assert (stage.session.memory.sort, stage.session.memory.descending) == ("mem", False)


async def test_a_filter_is_typed_and_a_bad_one_is_explained() -> None:
    """The last good one stays in force meanwhile."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"status:run cpu>20")
        await settled(pilot)
        assert _rows(stage) == ["org:acme"]
        assert "1 of 8 workspaces" in text_of(stage.app)
        await pilot.press("x")
        await settled(pilot)
        assert "`cpu` has no unit `x`; it has none." in text_of(stage.app)
        assert _rows(stage) == ["org:acme"]
        await pilot.press("enter", "escape")
        await settled(pilot)
        assert len(_rows(stage)) == 8
        assert stage.session.memory.filter == ""


async def test_what_was_chosen_in_the_last_run_is_in_force() -> None:
    """Filter and sort."""
    stage = Stage(memory=Memory(filter="user:", sort="cpu", descending=True))
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert _rows(stage)[0] == "user:user10"
        assert "6 of 8" in text_of(stage.app)


async def test_marks() -> None:
    """Space marks and goes on; what is gone is not marked any more; escape takes marks back before the filter."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("space", "space")
        await settled(pilot)
        assert _table(stage).marked == {"org:acme", "org:acme~reports"}
        assert "2 marked" in text_of(stage.app)
        stage.daemon.drop("org:acme")
        await settled(pilot)
        assert _table(stage).marked == {"org:acme~reports"}
        await pilot.press("asterisk")
        assert len(_table(stage).marked) == 7
        await pilot.press("escape")
        assert not _table(stage).marked


async def test_a_change_of_status_is_marked_for_a_while() -> None:
    """A dot before the row."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert "• user:alice" not in text_of(stage.app)
        stage.daemon.put(scenes.workspace("user:alice", "ERROR"))
        await settled(pilot)
        assert "• user:alice" in text_of(stage.app)
        stage.clock.forward(31)
        stage.daemon.put(scenes.workspace("user:bob", number=8))
        await settled(pilot)
        assert "• user:alice" not in text_of(stage.app)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (40, 10)])
async def test_every_size_is_filled_and_none_is_passed(size: tuple[int, int]) -> None:
    """No line is longer than the terminal is wide; keys stand at the foot."""
    stage = Stage(daemon_with(scenes.fleet(100)))
    async with stage.app.run_test(size=size) as pilot:
        await settled(pilot)
        lines = text_of(stage.app).split("\n")
        assert len(lines) == size[1]
        assert "? Help" in lines[-1]
        assert "u0000" in "\n".join(lines)
        assert len(_rows(stage)) == 100


async def test_a_long_way_down_and_back() -> None:
    """A thousand rows; only those that can be seen are read."""
    stage = Stage(daemon_with(scenes.fleet(1000)))
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("end")
        await settled(pilot)
        assert _table(stage).cursor == _rows(stage)[-1]
        assert _rows(stage)[-1] in text_of(stage.app)
        await pilot.press("pageup", "home")
        await settled(pilot)
        assert _table(stage).cursor == _rows(stage)[0]
        assert _rows(stage)[0] in text_of(stage.app)


async def test_resizing_keeps_everything() -> None:
    """Cursor, marks and filter."""
    stage = Stage()
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("space", "down")
        await pilot.resize_terminal(160, 50)
        await settled(pilot)
        assert _table(stage).cursor == "user:alice"
        assert _table(stage).marked == {"org:acme"}
        assert "REASON" in text_of(stage.app)


async def test_a_host_in_order_gives_no_warning() -> None:
    """And one whose engine is away says so."""
    host = canned.fleet_host().model_copy(update={"limits_not_enforced": []})
    stage = Stage(replace(daemon_with(scenes.usual()), host=host))
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert "▲" not in text_of(stage.app).replace("WORKSPACE▲", "")
    away = host.model_copy(update={"engine_away": "podman.sock refuses."})
    stage = Stage(FakeDaemon(host=away))
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        assert "The engine is away: podman.sock refuses." in text_of(stage.app)


async def test_keys_typed_in_one_breath_after_a_slash_are_the_filters() -> None:
    """None of them is taken for an action; and a slash within a filter is a letter of it."""
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        for letter in "/cXiR/a":
            stage.app.post_message(events.Key("slash" if letter == "/" else letter, letter))
        await settled(pilot)
        assert stage.app.screen.query_one("#filter", Input).value == "cXiR/a"
        assert stage.daemon.asked() == []
