"""The states in which every screen is pictured, and how each screen is reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.client import canned
from tests.tui import scenes
from tests.tui.fake_daemon import GONE, FakeDaemon, daemon_with, refused
from tests.tui.stage import Stage
from tui.preferences import Preferences
from wsmgr.wire.capability import Capability
from wsmgr.wire.plugin import PluginVersionPage

READ_ONLY: dict[str, Any] = {"preferences": Preferences(read_only=True)}
_PARTS = ("usage", "executions", "plugins", "events", "logs")
_WIDE = "漢字のプラグイン が 失敗しました: " * 6


def nothing(stage: Stage) -> None:
    """Nothing happens."""
    del stage


@dataclass(frozen=True)
class Scene:
    """What the daemon has, what is pressed, and what happens before and after that."""

    keys: tuple[str, ...] = ()
    daemon: Callable[[], FakeDaemon] = lambda: daemon_with(scenes.usual())
    before: Callable[[Stage], None] = nothing
    after: Callable[[Stage], None] = nothing
    more: dict[str, Any] = field(default_factory=dict)


def lost(stage: Stage) -> None:
    """The daemon went a while ago."""
    stage.daemon.lose(GONE)
    stage.clock.forward(75)


def denied(stage: Stage) -> None:
    """The daemon lets nobody of this role look."""
    stage.daemon.lose(refused(403, "forbidden", "/api/fleet/stream is for the role admin, and uid:7 has service."))


def fails(stage: Stage) -> None:
    """All but the live view is refused."""
    for path in _asked(stage):
        stage.daemon.refuse(f"GET /api/{path}", "The store is away.", 503, "store_unavailable")


def holds(stage: Stage) -> None:
    """All but the live view takes its time."""
    for path in _asked(stage):
        stage.daemon.hold(f"GET /api/{path}")
    stage.daemon.held_is_quiet = True


def _asked(stage: Stage) -> list[str]:
    keys = [*stage.daemon.workspaces]
    return ["alerts", "audit", "capabilities", "host", *(f"workspaces/{key}/{name}" for key in keys for name in _PARTS)]


def empty() -> FakeDaemon:
    """A workspace of which there is nothing to tell."""
    daemon = daemon_with(
        [scenes.workspace("user:alice", "STOPPED")], alerts=[], events=[], executions=[], logs=[], matrix=[],
        usage=lambda _: canned.usage().model_copy(update={"points": []}),
    )  # fmt: skip
    daemon.answers["GET /api/workspaces/user:alice/plugins"] = PluginVersionPage(items=[])
    return daemon


def long() -> FakeDaemon:
    """Ids as long as they may be, and sentences of wide characters everywhere."""
    workspaces = scenes.long_names()
    key = min(one.id for one in workspaces)
    daemon = daemon_with(
        workspaces,
        alerts=[canned.alert(7).model_copy(update={"sentence": _WIDE, "workspace": key})],
        events=[
            one.model_copy(update={"reason": _WIDE, "actor": "token:" + "t" * 40}) for one in scenes.events(6, key)
        ],
        executions=[one.model_copy(update={"plugin": "p" * 64}) for one in scenes.executions(3)],
        logs=[_WIDE] * 3,
        matrix=[Capability(name="memory", level="absent", evidence=_WIDE, mend=_WIDE), *scenes.matrix()],
    )
    daemon.answers[f"GET /api/workspaces/{key}/plugins"] = PluginVersionPage(items=[canned.version("p" * 64)])
    return daemon


def many() -> FakeDaemon:
    """More of everything than fits."""
    workspaces = scenes.fleet(1000)
    daemon = daemon_with(
        workspaces,
        alerts=[canned.alert(number) for number in range(120, 0, -1)],
        events=scenes.events(450),
        executions=scenes.executions(150),
        logs=[f"line {number}" for number in range(900)],
        matrix=[*scenes.matrix(), *(canned.capability(f"limit {number}") for number in range(60))],
    )
    for one in workspaces[:3]:
        items = [canned.version(f"plugin-{number:02}") for number in range(60)]
        daemon.answers[f"GET /api/workspaces/{one.id}/plugins"] = PluginVersionPage(items=items)
    return daemon


_TABS = {"overview": "o", "executions": "e", "plugins": "p", "events": "v", "logs": "l", "health": "h", "limits": "m"}
_ALICE = ("down", "down", "enter")


def _matrix(to: tuple[str, ...], first: tuple[str, ...]) -> dict[str, Scene]:
    """`first` reaches the screen where there is one workspace or the first one will do, `to` that of alice."""
    return {
        "normal": Scene(to),
        "empty": Scene(first, daemon=empty),
        "loading": Scene(to, before=holds),
        "stale": Scene(to, after=lost),
        "error": Scene(to, before=fails),
        "long": Scene(first, daemon=long),
        "many": Scene((*first, "end", "pageup"), daemon=many),
        "read-only": Scene(to, more=READ_ONLY),
    }


def every_screen() -> dict[str, Scene]:
    """Each screen, and each tab of the workspace, in each state."""
    screens = {
        "alerts": _matrix(("A",), ("A",)),
        "events": _matrix(("E",), ("E",)),
        "host": _matrix(("H",), ("H",)),
        "help": _matrix(("question_mark",), ("question_mark",)),
        "fleet": _matrix((), ())
        | {
            "empty": Scene(daemon=FakeDaemon),
            "loading": Scene(daemon=lambda: FakeDaemon(silent=True)),
            "error": Scene(before=denied),
        },
    }
    screens |= {f"workspace-{tab}": _matrix((*_ALICE, key), ("enter", key)) for tab, key in _TABS.items()}
    return {f"{name}-{state}": scene for name, states in screens.items() for state, scene in states.items()}
