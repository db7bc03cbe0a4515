"""The application on a fake daemon, with a clock that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.pilot import Pilot

from tests.tui import scenes
from tests.tui.fake_daemon import FakeDaemon, daemon_with
from tui.app import WsmgrApp
from tui.preferences import Memory, Preferences
from tui.session import Session


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
    ) -> None:
        self.daemon = daemon_with(scenes.usual()) if daemon is None else daemon
        self.clock = Clock()
        self.session = Session(self.daemon, self.clock, preferences or Preferences(), memory or Memory())
        self.app = WsmgrApp(self.session)


async def settled(pilot: Pilot[None]) -> None:
    """Everything that was said has been heard, and is on the screen."""
    for _ in range(4):
        await pilot.pause()


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Let the application run until something holds."""
    for _ in range(400):
        if true():
            return
        await pilot.pause()
    raise AssertionError("it never came to hold")


def pressing(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Settle, press keys, settle."""

    async def press(pilot: Pilot[None]) -> None:
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)

    return press


def text_of(app: WsmgrApp) -> str:
    """What is on the screen, line by line."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    assert len(lines) == height
    return "\n".join(strip.text[:width].rstrip() for strip in lines)
