"""The command palette: every action, screen, order and theme, made from the same registry as the keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand
from textual.screen import Screen

from tui.actions import of_kind
from tui.keys import written
from tui.model.columns import COLUMNS
from tui.screens.fleet import FleetScreen
from tui.screens.page import Page

if TYPE_CHECKING:
    from tui.app import WsmgrApp

_PAGES = (("fleet", "F"), ("alerts", "A"), ("events", "E"), ("host", "H"), ("help", "?"))


def commands_of(app: WsmgrApp, screen: Screen[Any]) -> Iterable[SystemCommand]:
    """What can be done on this screen."""
    if isinstance(screen, Page):
        targets = screen.targets()
        if targets and not app.session.preferences.read_only:
            what = targets[0].id if len(targets) == 1 else f"{len(targets)} workspaces"
            for action in of_kind("workspace"):
                yield SystemCommand(
                    f"{action.label} {what}",
                    f"{action.about} ({written(action.key)})",
                    lambda name=action.name: app.act(name, targets),
                )
    if isinstance(screen, FleetScreen):
        for column in COLUMNS:
            yield SystemCommand(
                f"Sort by {column.title.lower()}", "Twice: the other way.", lambda key=column.key: screen.sort_by(key)
            )
    for name, key in _PAGES:
        yield SystemCommand(f"Go to {name}", f"({key})", lambda name=name: app.action_page(name))
    yield SystemCommand("Theme", "Choose other colours; they are remembered.", app.action_change_theme)
    yield SystemCommand("Quit", "Leave; the daemon goes on. (q)", app.exit)
