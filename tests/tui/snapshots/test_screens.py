"""Every screen in every state, as a picture. `--snapshot-update` accepts what is there now; look at it first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.client import canned
from tests.tui import scenes
from tests.tui.fake_daemon import GONE, FakeDaemon, daemon_with, refused
from tests.tui.stage import Stage, quiet
from tui.preferences import Memory, Preferences

SIZES = [(80, 24), (120, 40)]


def _lost(stage: Stage) -> None:
    stage.daemon.lose(GONE)
    stage.clock.forward(75)


def _denied(stage: Stage) -> None:
    stage.daemon.lose(refused(403, "forbidden", "/api/fleet/stream is for the role admin, and uid:7 has service."))


def _fails(stage: Stage) -> None:
    for path in ("alerts", "audit", "capabilities", "host", *_OF_ALICE):
        stage.daemon.refuse(f"GET /api/{path}", "The store is away.", 503, "store_unavailable")


def _holds(stage: Stage) -> None:
    for path in ("alerts", "audit", "capabilities", "host", *_OF_ALICE):
        stage.daemon.hold(f"GET /api/{path}")
    stage.daemon.held_is_quiet = True


def _nothing(stage: Stage) -> None:
    del stage


_OF_ALICE = [f"workspaces/user:alice/{name}" for name in ("usage", "executions", "plugins", "events", "logs")]


@dataclass(frozen=True)
class Scene:
    """What the daemon has, what is pressed, and what happens before and after that."""

    keys: tuple[str, ...] = ()
    daemon: Callable[[], FakeDaemon] = lambda: daemon_with(scenes.usual())
    before: Callable[[Stage], None] = _nothing
    after: Callable[[Stage], None] = _nothing
    more: dict[str, Any] = field(default_factory=dict)


_READ_ONLY: dict[str, Any] = {"preferences": Preferences(read_only=True)}
_ALICE = ("down", "down", "enter")
SCENES: dict[str, Scene] = {
    "fleet": Scene(),
    "fleet-empty": Scene(daemon=FakeDaemon),
    "fleet-loading": Scene(daemon=lambda: FakeDaemon(silent=True)),
    "fleet-stale": Scene(after=_lost),
    "fleet-denied": Scene(before=_denied),
    "fleet-long": Scene(daemon=lambda: daemon_with(scenes.long_names())),
    "fleet-many": Scene(("end", "pageup"), daemon=lambda: daemon_with(scenes.fleet(1000))),
    "fleet-read-only": Scene(more=_READ_ONLY),
    "fleet-light": Scene(more={"preferences": Preferences(theme="textual-light")}),
    "fleet-filtered": Scene(("slash", *"status:run cpu>1", "enter")),
    "fleet-bad-filter": Scene(("slash", *"cpu>x")),
    "fleet-marked": Scene(("space", "space")),
    "fleet-sorted": Scene(more={"memory": Memory(sort="cpu", descending=True)}),
    "question": Scene(("down", "down", "X")),
    "question-many": Scene(("asterisk", "D")),
    "question-changed": Scene(("down", "down", "X"), after=lambda stage: stage.daemon.drop("user:alice")),
    "choose-plan": Scene(("N",)),
    "help": Scene(("question_mark",)),
}
for _tab, _key in (
    ("overview", "o"), ("executions", "e"), ("plugins", "p"), ("events", "v"), ("logs", "l"), ("health", "h"),
    ("limits", "m"),
):  # fmt: skip
    SCENES[f"workspace-{_tab}"] = Scene((*_ALICE, _key))
    SCENES[f"workspace-{_tab}-fails"] = Scene((*_ALICE, _key), before=_fails)
SCENES |= {
    "workspace-loading": Scene(_ALICE, before=_holds),
    "workspace-stale": Scene(_ALICE, after=_lost),
    "workspace-gone": Scene(_ALICE, after=lambda stage: stage.daemon.drop("user:alice")),
    "workspace-read-only": Scene(_ALICE, more=_READ_ONLY),
    "workspace-cursor": Scene((*_ALICE, "2", "left", "shift+left")),
    "workspace-24h": Scene((*_ALICE, "4")),
    "workspace-long": Scene(("enter",), daemon=lambda: daemon_with(scenes.long_names())),
    "workspace-unmeasured": Scene(
        _ALICE,
        daemon=lambda: daemon_with(scenes.usual(), usage=lambda _: canned.usage().model_copy(update={"points": []})),
    ),
    "execution": Scene((*_ALICE, "e", "down", "enter")),
    "plugin-versions": Scene((*_ALICE, "p", "enter")),
}
for _page, _key in (("alerts", "A"), ("events", "E"), ("host", "H")):
    SCENES[_page] = Scene((_key,))
    SCENES[f"{_page}-fails"] = Scene((_key,), before=_fails)
    SCENES[f"{_page}-loading"] = Scene((_key,), before=_holds)
    SCENES[f"{_page}-stale"] = Scene((_key,), after=_lost)
    SCENES[f"{_page}-read-only"] = Scene((_key,), more=_READ_ONLY)
SCENES["alerts-empty"] = Scene(("A",), daemon=lambda: daemon_with(scenes.usual(), alerts=[]))
SCENES["events-many"] = Scene(
    ("E", "end"),
    daemon=lambda: daemon_with(scenes.usual(), events=[canned.event(number) for number in range(450, 0, -1)]),
)


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
