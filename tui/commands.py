"""The command palette: every action, screen, order and theme, made from the same registry as the keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from textual.app import App, SystemCommand
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Input

from tui.actions import of_kind
from tui.keys import written
from tui.model.columns import COLUMNS
from tui.screens.fleet import FleetScreen
from tui.screens.page import Page
from tui.widgets.table import Table

if TYPE_CHECKING:
    from tui.app import WsmgrApp

_PAGES = (("fleet", "F"), ("alerts", "A"), ("events", "E"), ("host", "H"), ("help", "?"))


def commands_of(app: WsmgrApp, screen: Screen[Any]) -> Iterable[SystemCommand]:
    """What can be done on this screen."""
    if isinstance(screen, Page):
        targets = screen.targets()
        if targets and not app.session.read_only:
            what = targets[0].id if len(targets) == 1 else f"{len(targets)} workspaces"
            for action in of_kind("workspace"):
                yield SystemCommand(
                    f"{action.label} {what}",
                    f"{action.about} ({written(action.key)})",
                    lambda name=action.name: app.act(name, targets),
                )
    yield from _keys_of(app, screen)
    if isinstance(screen, FleetScreen):
        for column in COLUMNS:
            yield SystemCommand(
                f"Sort by {column.title.lower()}", "Twice: the other way.", lambda key=column.key: screen.sort_by(key)
            )
    for name, key in _PAGES:
        yield SystemCommand(f"Go to {name}", f"({key})", lambda name=name: app.action_page(name))
    yield SystemCommand("Theme", "Choose other colours; they are remembered.", app.action_change_theme)
    yield SystemCommand("Quit", "Leave; the daemon goes on. (q)", app.exit)


def _keys_of(app: WsmgrApp, screen: Screen[Any]) -> Iterable[SystemCommand]:
    """What keys do here, apart from moving about: also on the widget that has them now."""
    workspace_acts = {f"act('{action.name}')" for action in of_kind("workspace")}
    seen: set[str] = set()
    for active in screen.active_bindings.values():
        node, binding = active.node, active.binding
        # Those of a line of text or of a table move its cursor; others stand below with words of their own.
        passed_over = isinstance(node, App | Input | Table | VerticalScroll) or binding.action in workspace_acts
        if passed_over or not active.enabled or binding.action.startswith("app.") or binding.action in seen:
            continue
        seen.add(binding.action)
        yield SystemCommand(
            _SAID.get(binding.action, binding.description),
            f"{binding.tooltip} ({written(binding.key)})" if binding.tooltip else f"({written(binding.key)})",
            lambda action=binding.action, node=node: app.run_action(action, node),
        )


_SAID = {
    "sort(-1)": "Sort by the column before", "sort(1)": "Sort by the next column", "beside(-1)": "Tab before",
    "beside(1)": "Next tab", "cursor(-1)": "Cursor left", "cursor(1)": "Cursor right",
}  # fmt: skip
"""Pairs of keys that share a description at the foot of the screen."""
