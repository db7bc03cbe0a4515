"""Starts the terminal UI."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

from tui.actions import REGISTRY
from tui.app import WsmgrApp
from tui.preferences import chosen, config_path, remembered, state_path
from tui.session import Session
from wsmgr.client import AsyncClient, find_target


def run(
    *, socket: Path | None, url: str | None, read_only: bool = False, mouse: bool = True, theme: str | None = None
) -> int:
    """Run it on this terminal until it is left; returns the exit code. Raises InvalidArgument and BadPreferences."""
    told = chosen(config_path(os.environ), frozenset(action.name for action in REGISTRY))
    preferences = replace(
        told, read_only=told.read_only or read_only, mouse=told.mouse and mouse, theme=theme or told.theme
    )
    client = AsyncClient(target=find_target(socket, url=url))
    session = Session(client, time.time, preferences, remembered(state_path(os.environ)))
    app = WsmgrApp(session, os.environ)
    app.run(mouse=preferences.mouse)
    return app.return_code or 0
