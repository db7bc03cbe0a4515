"""The application on a fake daemon, with a clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.pilot import Pilot

from tests.tui import scenes
from tests.tui.fake_daemon import FakeDaemon, daemon_with
from tui.app import WsmgrApp
from tui.preferences import Memory, Preferences
from tui.session import Session

_PATIENCE_S = 60.0


class Clock:
    """Seconds since the epoch; moved by hand."""

    def __init__(self) -> None:
        self.now = scenes.NOW

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        """Time goes by."""
        self.now += seconds


class Stage:
    """`daemon` is fake, `clock` stands still, the rest is real."""

    def __init__(
        self,
        daemon: FakeDaemon | None = None,
        *,
        preferences: Preferences | None = None,
        memory: Memory | None = None,
        app: type[WsmgrApp] = WsmgrApp,
    ) -> None:
        self.daemon = daemon_with(scenes.usual()) if daemon is None else daemon
        self.clock = Clock()
        self.session = Session(self.daemon, self.clock, preferences or Preferences(), memory or Memory())
        self.app = app(self.session, {"LANG": "C.UTF-8", "TERM": "xterm-256color"})


_TURNS = 8
"""So many rounds through all widgets' queues: a key, what it posts, the answer to it, a layout, a focus, and the like.
Counted and not timed: whether a busy machine is idle nobody can tell."""


async def settled(pilot: Pilot[None]) -> None:
    """Everything that was said has been heard, and is on the screen."""
    for _ in range(_TURNS):
        await pilot.pause(0)


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Let the application run until something holds."""
    async with asyncio.timeout(_PATIENCE_S):
        while not true():
            await pilot.pause(0.005)


async def quiet(stage: Stage, pilot: Pilot[None]) -> None:
    """All calls are answered, and the screen has come to rest."""
    same, before = 0, ""
    async with asyncio.timeout(_PATIENCE_S):
        while same < _TURNS:
            await pilot.pause(0)
            now = text_of(stage.app)
            same = same + 1 if now == before and not stage.daemon.busy else 0
            before = now


def text_of(app: WsmgrApp) -> str:
    """What is on the screen, line by line."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    assert len(lines) == height
    return "\n".join(strip.text[:width].rstrip() for strip in lines)
