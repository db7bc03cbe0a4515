"""Help: made from the bindings, the registry and the grammar of the filter, so that it cannot be out of date."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from tui.actions import REGISTRY
from tui.keys import written
from tui.model import filter as grammar
from tui.screens.alerts import AlertsScreen
from tui.screens.events import EventsScreen
from tui.screens.fleet import FleetScreen
from tui.screens.page import Page
from tui.screens.workspace import WorkspaceScreen
from tui.widgets.listing import Listing
from tui.widgets.logs import Logs
from tui.widgets.overview import Overview
from tui.widgets.table import Table

_SECTIONS: tuple[tuple[str, type[Widget]], ...] = (
    ("EVERYWHERE", Page),
    ("TABLES", Table),
    ("FLEET", FleetScreen),
    ("WORKSPACE", WorkspaceScreen),
    ("WORKSPACE: OVERVIEW", Overview),
    ("WORKSPACE: LOGS", Logs),
    ("LISTS", Listing),
    ("ALERTS", AlertsScreen),
    ("EVENTS", EventsScreen),
)
_KEY_WIDTH = 16


class HelpScreen(Page):
    """One text to scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "app.back", "Back")]

    def body(self) -> Iterable[Widget]:
        """The text."""
        with_keys = VerticalScroll(Static(text(), markup=False), id="help")
        yield with_keys

    def on_mount(self) -> None:
        """Keys scroll it."""
        self.query_one("#help").focus()


def text() -> str:
    """All keys, all actions, and the filter."""
    lines = ["KEYS OF THE PROGRAM", _line("? F1", "This help"), _line(": ^p", "All commands"), _line("^c", "Quit")]
    for title, owner in _SECTIONS:
        lines += ["", title, *_keys_of(owner)]
    lines += ["", "ACTIONS (those with ! ask first; the `confirm` table of tui.toml changes that)"]
    for action in REGISTRY:
        mark = "!" if action.dangerous else " "
        lines.append(_line(f"{written(action.key)} {mark}", f"{action.label:<12} {action.about}"))
    lines += ["", "FILTER", *(inspect.getdoc(grammar) or "").split("\n")]
    lines += ["", "FIGURES", *(f"  {line}" for line in _FIGURES)]
    return "\n".join(lines)


_FIGURES = (
    "CPU      100% is one core; the bar is its share of the plan's limit.",
    "MEMORY   the working set against the plan's limit. From 70 % on a figure is marked, from 90 % more.",
    "EX/M     executions in the last minute.   RST  restarts since the daemon began to watch it.",
    "IDLE     when the idle ladder stops it, unless it is used or touched.",
    "HELD     what the plans of all that run promise, against the host's budget.",
    "+ •      marked by you; its status changed in the last 30 s.",
)


def _keys_of(owner: type[Widget]) -> list[str]:
    acts = {action.key for action in REGISTRY}
    told: dict[str, list[str]] = {}
    for binding in owner.__dict__.get("BINDINGS", ()):
        if isinstance(binding, Binding) and binding.key not in acts:
            told.setdefault(binding.description, []).append(written(binding.key))
    return [_line(" ".join(keys), about) for about, keys in told.items()]


def _line(keys: str, about: str) -> str:
    return f"  {keys:<{_KEY_WIDTH}} {about}"
