"""What all full screens share: the lines on top, the banner, the keys at the foot, and how they hear of news."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual._styles_cache import StylesCache
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from tui.actions import Target
from tui.messages import Act, FleetMoved
from tui.model.store import Delta
from tui.model.summary import fleet_line, host_line, warning_line
from tui.session import Session
from tui.widgets.banner import Banner
from tui.widgets.cells import CLASSES, CSS, CellLine
from tui.widgets.keyline import KeyLine


class Page(Screen[None]):
    """A screen over the session. Subclasses give `body` and hear of news by `told`."""

    COMPONENT_CLASSES: ClassVar[set[str]] = CLASSES
    DEFAULT_CSS = f"Page {{{CSS}}}"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("F", "app.page('fleet')", "Fleet", show=False),
        Binding("A", "app.page('alerts')", "Alerts"),
        Binding("E", "app.page('events')", "Events"),
        Binding("H", "app.page('host')", "Host"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def body(self) -> Iterable[Widget]:
        """The widgets between the lines on top and the keys."""
        raise NotImplementedError

    def told(self, delta: Delta) -> None:
        """Something is new in the session: bring the body up to date."""

    def targets(self) -> list[Target]:
        """The workspaces that an action is for: those marked, else the one under the cursor."""
        return []

    @property
    def shown(self) -> int | None:
        """How many rows a filter lets through; None without a filter."""
        return None

    def compose(self) -> ComposeResult:
        """Textual's."""
        yield CellLine(id="fleet-line")
        yield CellLine(id="host-line")
        yield Static(id="warning", markup=False)
        yield Banner()
        yield from self.body()
        yield KeyLine()

    def on_mount(self) -> None:
        """The clock of ages (what it shows changes seldom, and only what changes is painted), and the keys."""
        self.bindings_updated_signal.subscribe(self, lambda _: self.query_one(KeyLine).tell(self))
        self.set_interval(1.0, self._tick, name="ages")

    def on_unmount(self) -> None:
        """Textual remembers for a thousand widgets what their borders look like, and with that all that they showed: in
        the end some 60 MiB of what nobody sees again."""
        StylesCache.get_inner_outer.cache_clear()

    def on_screen_resume(self) -> None:
        """It was covered, and may be out of date."""
        self.call_after_refresh(self.refresh_all)

    def on_resize(self) -> None:
        """Lines are fitted to the width."""
        self.call_after_refresh(self.refresh_all)

    def on_fleet_moved(self, message: FleetMoved) -> None:
        """The session is newer than what is shown."""
        self._bring(message.delta)

    def refresh_all(self) -> None:
        """Bring everything up to date."""
        if self.is_mounted:
            self._bring(Delta())
            self.query_one(KeyLine).tell(self)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing of the registry is offered to those who may only look."""
        del parameters
        return not (action == "act" and self.session.read_only)

    def action_act(self, name: str) -> None:
        """A key of the registry."""
        self.post_message(Act(name, self.targets()))

    def _tick(self) -> None:
        if self.is_current:
            self._bring(Delta())

    def _bring(self, delta: Delta) -> None:
        # The body first: the lines count what it shows.
        self.told(delta)
        self._lines()

    def _lines(self) -> None:
        session, width = self.session, self.size.width
        self.query_one("#fleet-line", CellLine).show(
            fleet_line(
                session.store.counts(),
                session.link,
                shown=self.shown,
                read_only=session.read_only,
                width=width,
            )
        )
        self.query_one("#host-line", CellLine).show(host_line(session.host, width))
        self._warn(warning_line(session.host))
        self.query_one(Banner).tell(session.link, session.clock())

    def _warn(self, said: str) -> None:
        line = self.query_one("#warning", Static)
        if line.display != bool(said) or line.content != said:
            line.display = bool(said)
            line.update(said)
