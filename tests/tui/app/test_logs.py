"""The log of a workspace: what plugins print, what the runtime writes, and finding something in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from tests.tui import scenes
from tests.tui.fake_daemon import daemon_with
from tests.tui.stage import Stage, settled, text_of, until
from tui.widgets.table import Table

SIZE = (120, 40)


@asynccontextmanager
async def _logs(stage: Stage, *keys: str) -> AsyncIterator[tuple[Pilot[None], Table]]:
    """The log tab of the first workspace."""
    async with stage.app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        await pilot.press("enter", "l")
        await until(pilot, lambda: "following" in text_of(stage.app))
        await pilot.press(*keys)
        await settled(pilot)
        yield pilot, stage.app.screen.query_one("#logs Table", Table)


def _said(stage: Stage) -> str:
    return "\n".join(str(one.message) for one in stage.app._notifications)


async def test_the_runtimes_lines_follow_stand_still_and_are_saved(tmp_path: Path) -> None:
    """As they come."""
    stage = Stage()
    async with _logs(stage, "r") as (pilot, table):
        await until(pilot, lambda: "line 4" in text_of(stage.app))
        stage.daemon.logs += ["a fatal error", "line 6"]
        stage.clock.forward(2)
        await until(pilot, lambda: "line 6" in text_of(stage.app))
        assert table.cursor == "6"
        await pilot.press("up")
        await settled(pilot)
        assert "standing still" in text_of(stage.app)
        await pilot.press("w")
        await settled(pilot)
        stage.app.screen.query_one("Input").value = str(tmp_path / "x.log")  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: "7 lines written" in _said(stage))
        assert (tmp_path / "x.log").read_text().splitlines() == stage.daemon.logs
        await pilot.press("slash", *"fatal", "enter")
        await settled(pilot)
        assert list(table.keys) == ["5"]


async def test_a_text_is_sought_once_and_then_found_again_and_again() -> None:
    """`n` asks the first time; then it goes on, around the end."""
    stage = Stage(daemon_with(scenes.usual(), logs=["one", "two", "one more", "two", "one at last"]))
    async with _logs(stage, "r") as (pilot, table):
        await until(pilot, lambda: table.cursor == "4")
        await pilot.press("n")
        await settled(pilot)
        await pilot.press(*"one", "enter")
        await settled(pilot)
        found = [table.cursor]
        for _ in range(3):
            await pilot.press("n")
            await settled(pilot)
            found.append(table.cursor)
        assert found == ["0", "2", "4", "0"]
        assert "n goes to the next “one”" in text_of(stage.app)


async def test_what_plugins_print_comes_with_its_time_as_executions_end() -> None:
    """Each line once, in its order; what still runs tells nothing yet."""
    stage = Stage()
    async with _logs(stage) as (pilot, table):
        assert len(table.keys) == 4
        newest, *rest = stage.daemon.executions
        stage.daemon.executions = [newest.model_copy(update={"state": "succeeded"}), *rest]
        stage.clock.forward(2)
        await until(pilot, lambda: len(table.keys) == 6)
        assert list(table.keys) == [f"x{number} {line}" for number in (1, 2, 3) for line in (0, 1)]


async def test_since_reaches_further_back_page_by_page() -> None:
    """Only as far as is asked for."""
    stage = Stage(daemon_with(scenes.usual(), executions=scenes.executions(301)))
    async with _logs(stage) as (pilot, table):
        await until(pilot, lambda: len(table.keys) == 2 * 45)
        asked = [call.query for call in stage.daemon.calls if call.path.endswith("/executions")]
        assert [query.get("before") for query in asked] == [None]
        await pilot.press("b")
        await until(pilot, lambda: len(table.keys) == 2 * 180)
        assert "since 1h" in text_of(stage.app)
        await pilot.press("b", "b", "b")
        await until(pilot, lambda: len(table.keys) == 2 * 300)
        assert "since all" in text_of(stage.app)
