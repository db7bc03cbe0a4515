"""Screens by name, loaded when they are first wanted: the first rows do not wait for screens that nobody sees yet."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from tui.screens.page import Page

_CLASSES = {"alerts": "AlertsScreen", "events": "EventsScreen", "host": "HostScreen", "help": "HelpScreen"}


def page_named(name: str) -> type[Page]:
    """The class of a page. Raises KeyError."""
    found = getattr(import_module(f"tui.screens.{name}"), _CLASSES[name])
    return cast("type[Page]", found)
