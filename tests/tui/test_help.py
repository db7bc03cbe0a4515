"""The help and the registry cannot say different things."""

from __future__ import annotations

import re

from tui.actions import REGISTRY, of_kind
from tui.keys import bindings_of, written
from tui.screens.fleet import FleetScreen
from tui.screens.help import text
from tui.screens.page import Page
from tui.screens.workspace import WorkspaceScreen
from tui.widgets.listing import Listing
from tui.widgets.logs import Logs
from tui.widgets.overview import Overview
from tui.widgets.table import Table

# Keys that terminals, screen, tmux or flow control take for themselves.
TRAPS = {"ctrl+s", "ctrl+q", "ctrl+z", "ctrl+a", "ctrl+backslash", "ctrl+h", "ctrl+m", "ctrl+i", "ctrl+j", "tab"}


def _keys(owner: type) -> list[str]:
    return [key for binding in owner.__dict__["BINDINGS"] for key in binding.key.split(",")]


def test_every_action_is_in_the_help_with_its_key() -> None:
    """And those that ask are marked."""
    shown = text()
    for action in REGISTRY:
        mark = "!" if action.dangerous else " "
        assert f"{written(action.key)} {mark}" in shown
        assert action.about in shown


def test_the_filters_grammar_is_in_the_help() -> None:
    """As its own module says it."""
    assert re.search(r"name>number\s+of a figure", text())


def test_dangerous_keys_are_capitals_and_no_others_are() -> None:
    """A slip of a finger starts nothing that destroys."""
    for action in REGISTRY:
        assert action.key.isupper() == action.dangerous
    assert {"stop", "restart", "remove", "pause", "rollback", "plan"} == {one.name for one in REGISTRY if one.dangerous}


def test_no_key_does_two_things_in_one_place() -> None:
    """Nor is one that a terminal takes."""
    for inner in (Overview, Logs, Listing):
        for screen in (FleetScreen, WorkspaceScreen):
            keys = [*_keys(Page), *_keys(screen)]
            assert len(keys) == len(set(keys))
            if screen is WorkspaceScreen:
                # Escape goes back one step: first within a tab, then from the screen.
                assert not (set(_keys(inner)) - {"escape"}) & set(keys)
                assert not set(_keys(Table)) & (set(_keys(inner)) | set(keys))
            assert not set(keys) & TRAPS
    assert not (set(_keys(Table)) - {"ctrl+b", "ctrl+f"}) & TRAPS


def test_bindings_come_from_the_registry() -> None:
    """One for each."""
    assert [one.key for one in bindings_of("workspace")] == [one.key for one in of_kind("workspace")]
