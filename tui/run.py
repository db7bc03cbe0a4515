"""Starts the terminal UI: what the first rows need comes first, and what they do not need after them."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from tui.actions import REGISTRY
from tui.hangup import watch
from tui.preferences import chosen, config_path, remembered, state_path
from wsmgr.client.asking import ask
from wsmgr.client.target import find_target

_SETTLED_S, _PAUSE_S = 1.0, 0.1
_LATER = (
    "httpx", "wsmgr.client.awaiting", "tui.performing", "plotext", "textual_plotext", "tui.widgets.listing",
    "tui.widgets.logs", "tui.screens.workspace", "tui.screens.confirm", "tui.screens.ask",
    "tui.screens.host", "tui.screens.alerts", "tui.screens.events", "tui.screens.help",
)  # fmt: skip
"""What is wanted with the first key that asks for more than the fleet, in pieces: while one is loaded keys wait."""


def run(
    *, socket: Path | None, url: str | None, read_only: bool = False, mouse: bool = True, theme: str | None = None
) -> int:
    """Run it on this terminal until it is left; returns the exit code. Raises InvalidArgument and BadPreferences."""
    told = chosen(config_path(os.environ), frozenset(action.name for action in REGISTRY))
    preferences = replace(
        told, read_only=told.read_only or read_only, mouse=told.mouse and mouse, theme=theme or told.theme
    )
    watch(sys.stdin.fileno())
    target = find_target(socket, url=url)
    # The daemon works out its answer while this process loads the rest, of which Textual is the most.
    asked = ask(target)
    # Loading makes much and drops little: looking for garbage meanwhile takes a tenth of the time to the first rows.
    gc.disable()
    # Looking for plugins of pydantic, of which a terminal UI wants none, reads every package that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

    from tui.app import WsmgrApp  # noqa: PLC0415  # as said above
    from tui.client import LateClient  # noqa: PLC0415  # as said above
    from tui.session import Session  # noqa: PLC0415  # as said above

    session = Session(LateClient(target, asked), time.time, preferences, remembered(state_path(os.environ)))
    app = WsmgrApp(session, os.environ)

    async def all_of_it() -> None:
        later = asyncio.create_task(_load_the_rest())
        await app.run_async(mouse=preferences.mouse)
        later.cancel()

    asyncio.run(all_of_it())
    return app.return_code or 0


async def _load_the_rest() -> None:
    """A while after the first rows, beside what the operator does."""
    await asyncio.sleep(_SETTLED_S)
    try:
        for name in _LATER:
            await asyncio.to_thread(import_module, name)
            await asyncio.sleep(_PAUSE_S)
    finally:
        # What is there by now stays: garbage is looked for among what comes.
        gc.freeze()
        gc.enable()
