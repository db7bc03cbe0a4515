"""The application: holds the session, hears the workers, and is the one place through which actions go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.notifications import SeverityLevel as Severity
from textual.screen import Screen

from tui import clipboard
from tui.actions import Action, Target, asks_first, named
from tui.commands import commands_of
from tui.feed import feed, fetch
from tui.messages import Act, Acted, Copy, Fetched, FetchFailed, FleetMoved, FleetTold, LinkLost, Look, Say
from tui.model.format import plural, printable
from tui.model.store import Delta
from tui.screens.fleet import FleetScreen
from tui.screens.named import page_named
from tui.screens.page import Page
from tui.session import Session
from tui.terminal import PlainGlyphs, needs_plain


class WsmgrApp(App[None]):
    """`wsmgr tui`. `environ` tells what terminal this is."""

    TITLE = "wsmgr"
    CSS_PATH = Path(__file__).with_name("tui.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "page('help')", "Help"),
        Binding("colon", "command_palette", "More"),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
    ]

    def __init__(self, session: Session, environ: Mapping[str, str]) -> None:
        super().__init__()
        self.session = session
        self._environ = environ
        self._plan_for: list[Target] = []
        if needs_plain(environ):
            self._filters.append(PlainGlyphs())

    def get_default_screen(self) -> Screen[None]:
        """The fleet is always at the bottom of the stack."""
        return FleetScreen(self.session)

    def on_mount(self) -> None:
        """Choose the theme and begin to listen."""
        wanted = self.session.preferences.theme or self.session.memory.theme
        if wanted in self.available_themes:
            self.theme = wanted
        self.theme_changed_signal.subscribe(self, lambda theme: self._remember_theme(theme.name))
        self.run_worker(feed(self.session.daemon, self.post_message), name="feed", exit_on_error=True)

    def on_unmount(self) -> None:
        """Remember for the next run."""
        self.session.memory.keep()

    def on_fleet_told(self, message: FleetTold) -> None:
        """Bring the session up to date and say so to the screens that can be seen."""
        was_live, could_act = self.session.link.live, not self.session.read_only
        delta = self.session.take(message.update)
        if could_act is self.session.read_only:
            # The daemon has just said what it lets the operator do: the keys at the foot follow.
            for screen in self.screen_stack:
                screen.refresh_bindings()
        if delta or not was_live or getattr(message.update, "host", None) is not None:
            self._moved(delta)

    def on_link_lost(self, message: LinkLost) -> None:
        """Actions are off from now on, and the screens say why."""
        self.session.lose(message.trouble)
        self._moved(Delta())

    def _moved(self, delta: Delta) -> None:
        """Screens under the one on top are brought up to date when they are seen again; a dialog leaves the screen
        below in view."""
        for screen in self.screen_stack[-2:]:
            screen.post_message(FleetMoved(delta))

    # ---- where to go -------------------------------------------------------------------------------------------------

    def action_page(self, name: str) -> None:
        """Show a page over the fleet."""
        if isinstance(self.screen, Page):
            while len(self.screen_stack) > 1:
                self.pop_screen()
            if name != "fleet":
                self.push_screen(page_named(name)(self.session))

    async def action_back(self) -> None:
        """To the screen below."""
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def on_look(self, message: Look) -> None:
        """A screen of its own for one workspace."""
        from tui.screens.workspace import WorkspaceScreen  # noqa: PLC0415  # the graphs take 50 ms that rows come sooner

        self.push_screen(WorkspaceScreen(self.session, message.key))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette."""
        yield from commands_of(self, screen)

    # ---- acting ------------------------------------------------------------------------------------------------------

    def act(self, name: str, targets: Sequence[Target], choice: str = "") -> None:
        """Do something of the registry, after the question if there is one. The only way to do anything."""
        action = named(name)
        if why := self.session.why_no_action:
            self.toast(f"{action.label}: {why}", "warning")
            return
        fit, rest = action.sorted_out(targets)
        if not fit:
            said = f"{rest[0].id} is {rest[0].state}" if rest else "nothing is selected"
            self.toast(f"{action.label}: {said}; it is for {', '.join(sorted(action.states))}.", "warning")
        elif action.choice == "plan" and not choice:
            from wsmgr.client import operations  # noqa: PLC0415  # as the other screens

            self._plan_for = fit
            self.run_worker(fetch(self.session.daemon, operations.plans(), "plans", self.post_message))
        elif asks_first(action, self.session.preferences.confirm):
            from tui.screens.confirm import Confirm  # noqa: PLC0415  # as the other screens

            self.push_screen(
                Confirm(self.session, action, fit, choice),
                lambda yes: self._perform(action, fit, choice) if yes else None,
            )
        else:
            self._perform(action, fit, choice)

    def _perform(self, action: Action, targets: Sequence[Target], choice: str) -> None:
        """What was chosen in one state is left alone in another."""
        if why := self.session.why_no_action:
            self.toast(f"{action.label}: {why}", "warning")
            return
        todo: list[str] = []
        for target in targets:
            row = self.session.store.get(target.id)
            if action.kind == "workspace" and (row is None or row.status != target.state):
                now = "gone" if row is None else f"{row.status} now, and was {target.state}"
                self.toast(f"{action.label}: {target.id} is {now}; nothing was done to it.", "warning")
            else:
                todo.append(target.id)
        if todo:
            from tui.performing import act  # noqa: PLC0415  # the rows do not wait for what is done to them

            self.run_worker(act(self.session.daemon, action, todo, choice, self.post_message), group="actions")

    def on_acted(self, message: Acted) -> None:
        """The daemon's sentences."""
        label = named(message.name).label
        if len(message.done) == 1:
            self.toast(f"{label} {message.done[0][0]}: {message.done[0][1]}")
        elif message.done:
            self.toast(f"{label}: {plural(len(message.done), 'one was', 'were')} done.")
        for target, sentence in message.failed[:3]:
            self.toast(f"{label} {target} failed: {sentence}", "error")
        if len(message.failed) > 3:
            self.toast(f"{label} failed for {len(message.failed) - 3} more.", "error")
        for screen in self.screen_stack:
            screen.post_message(FleetMoved(Delta()))

    def on_fetched(self, message: Fetched) -> None:
        """The plans to choose from are here."""
        from tui.screens.ask import Choose  # noqa: PLC0415  # as the other screens

        words = [
            (plan.name, f"{plan.name:<12} {plan.limits.memory_mb:>5} MiB  {plan.limits.cpus:g} CPU")
            for plan in message.value.items
        ]
        targets = list(self._plan_for)
        what = targets[0].id if len(targets) == 1 else plural(len(targets), "workspace")
        self.push_screen(
            Choose(f"Which plan for the owner of {what}?", words),
            lambda plan: self.act("plan", targets, plan) if plan else None,
        )

    def on_fetch_failed(self, message: FetchFailed) -> None:
        """There are none."""
        self.toast(message.error.sentence, "error")

    def toast(self, said: str, severity: Severity = "information") -> None:
        """A sentence for some seconds."""
        seconds = 4.0 if severity == "information" else 8.0
        self.notify(printable(said), severity=severity, timeout=seconds, markup=False)

    def copy(self, text: str) -> None:
        """To the clipboard of the operator's own terminal."""
        try:
            told = clipboard.sequence(text, self._environ)
        except clipboard.TooMuch as error:
            self.toast(error.sentence, "warning")
            return
        if self._driver is not None:
            self._driver.write(told)
        self.toast(f"Copied {plural(len(text), 'character')}.")

    async def on_back(self) -> None:
        """As the key."""
        await self.action_back()

    def on_act(self, message: Act) -> None:
        """As chosen on a screen."""
        self.act(message.name, message.targets, message.choice)

    def on_say(self, message: Say) -> None:
        """As a toast."""
        self.toast(message.sentence, message.severity)

    def on_copy(self, message: Copy) -> None:
        """To the clipboard."""
        self.copy(message.text)

    def _remember_theme(self, name: str) -> None:
        self.session.memory.theme = name
