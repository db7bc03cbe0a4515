"""The question before something dangerous: bound to ids and the states in which they were chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.actions import Action, Target
from tui.messages import FleetMoved
from tui.model.format import plural, printable
from tui.session import Session

_NAMED = 12
"""So many targets are named; of the others only the number."""


class Confirm(ModalScreen[bool]):
    """Yes or no. What rows do meanwhile does not change what it is about; that their state changed is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape,q", "answer(False)", "No"),
        Binding("left,right", "app.focus_next", "Other button", show=False),
    ]

    def __init__(self, session: Session, action: Action, targets: Sequence[Target], choice: str) -> None:
        super().__init__()
        self._session = session
        self._action = action
        self._targets = list(targets)
        self._choice = choice

    def compose(self) -> ComposeResult:
        """Textual's."""
        with Vertical(id="dialog"):
            yield Static(self._question(), id="question", markup=False)
            with VerticalScroll(id="targets"):
                yield Static(self._states(), id="states", markup=False)
            yield Static(self._action.consequence, id="consequence", markup=False)
            with Horizontal(id="buttons"):
                yield Button("No (n)", id="no", compact=True)
                yield Button(f"{self._action.label} (y)", id="yes", variant="error", compact=True)

    def on_mount(self) -> None:
        """Enter alone does nothing dangerous."""
        self.query_one("#no", Button).focus()

    def on_fleet_moved(self, message: FleetMoved) -> None:
        """A state may be another now."""
        del message
        line, said = self.query_one("#states", Static), self._states()
        if line.content != said:
            line.update(said)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """By Enter or the mouse."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        """By a key."""
        self.dismiss(yes)

    def _question(self) -> str:
        what = self._targets[0].id if len(self._targets) == 1 else plural(len(self._targets), self._action.kind)
        choice = {"plan": f" to {self._choice}", "version": f" to {self._choice[:12]}"}.get(self._action.choice, "")
        return f"{self._action.label} {printable(what)}{choice}?"

    def _states(self) -> str:
        lines = [self._state(target) for target in self._targets[:_NAMED]]
        more = len(self._targets) - len(lines)
        return "\n".join([*lines, f"and {more} more"] if more else lines)

    def _state(self, target: Target) -> str:
        if self._action.kind != "workspace":
            return f"{printable(target.id)} · {target.state}"
        row = self._session.store.get(target.id)
        now = "GONE" if row is None else row.status
        changed = "" if now == target.state else f" → {now} now: it will be left alone"
        return f"{target.id} · {target.state}{changed}"
