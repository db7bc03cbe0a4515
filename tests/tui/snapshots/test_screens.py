"""Every screen in every state, as a picture. `--snapshot-update` accepts what is there now; look at it first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.snapshots.states import READ_ONLY, Scene, every_screen, lost
from tests.tui.stage import Stage, quiet
from tui.preferences import Memory, Preferences

SIZES = [(80, 24), (120, 40)]
_ALICE = ("down", "down", "enter")
SCENES: dict[str, Scene] = every_screen() | {
    "fleet-light": Scene(more={"preferences": Preferences(theme="textual-light")}),
    "fleet-filtered": Scene(("slash", *"status:run cpu>1", "enter")),
    "fleet-bad-filter": Scene(("slash", *"cpu>x")),
    "fleet-marked": Scene(("space", "space")),
    "fleet-sorted": Scene(more={"memory": Memory(sort="cpu", descending=True)}),
    "question": Scene(("down", "down", "X")),
    "question-many": Scene(("asterisk", "D")),
    "question-changed": Scene(("down", "down", "X"), after=lambda stage: stage.daemon.drop("user:alice")),
    "question-stale": Scene(("down", "down", "X"), after=lost),
    "choose-plan": Scene(("N",)),
    "workspace-gone": Scene(_ALICE, after=lambda stage: stage.daemon.drop("user:alice")),
    "workspace-cursor": Scene((*_ALICE, "2", "left", "shift+left")),
    "workspace-24h": Scene((*_ALICE, "4")),
    "workspace-runtime-log": Scene((*_ALICE, "l", "r")),
    "execution": Scene((*_ALICE, "e", "end", "enter")),
    "execution-read-only": Scene((*_ALICE, "e", "down", "enter"), more=READ_ONLY),
    "plugin-versions": Scene((*_ALICE, "p", "enter")),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda one: f"{one[0]}x{one[1]}")
@pytest.mark.parametrize("name", SCENES)
def test_screen(name: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    """As it was when somebody last looked."""
    scene = SCENES[name]
    stage = Stage(scene.daemon(), **scene.more)

    async def play(pilot: Pilot[None]) -> None:
        await quiet(stage, pilot)
        for key in scene.keys:
            await pilot.press(key)
            await quiet(stage, pilot)
        scene.after(stage)
        await quiet(stage, pilot)

    scene.before(stage)
    assert snap_compare(stage.app, terminal_size=size, run_before=play)


def test_no_picture_is_left_over() -> None:
    """Each belongs to a screen that is still drawn: processes beside each other cannot tell what none of them used."""
    drawn = {f"test_screen[{name}-{columns}x{lines}].svg" for name in SCENES for columns, lines in SIZES}
    kept = Path(__file__).parent / "__snapshots__" / "test_screens"
    assert {file.name for file in kept.iterdir()} == drawn
