"""`execute --stream`: what a plugin prints and emits, while it runs."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import typer

from wsmgr.cli.answer import show_answer, show_log
from wsmgr.cli.failure import INTERRUPTED, PLUGIN_FAILED
from wsmgr.cli.output import note, plain, say

if TYPE_CHECKING:
    from wsmgr.client import Client
    from wsmgr.client.executing import Heard


def listen(client: Client, call: tuple[Any, ...], options: dict[str, Any], *, as_json: bool) -> None:
    """Print all of it as it comes. Raises typer.Exit when the plugin failed, or at Ctrl-C, which cancels it."""
    from wsmgr.client import operations  # noqa: PLC0415  # pydantic only when a call is made
    from wsmgr.wire.execute import ExecuteResponse  # noqa: PLC0415

    succeeded = False
    try:
        with closing(client.listen(operations.execute(*call, **options))) as heard:
            for piece in heard:
                if isinstance(piece, ExecuteResponse):
                    succeeded = piece.success
                _line(piece) if as_json else _show(piece)
    except KeyboardInterrupt:
        note("Cancelled.")
        raise typer.Exit(INTERRUPTED) from None
    if not succeeded:
        raise typer.Exit(PLUGIN_FAILED)


def _show(piece: Heard) -> None:
    from wsmgr.client.executing import Emit  # noqa: PLC0415
    from wsmgr.wire.execute import LogEntry  # noqa: PLC0415

    if isinstance(piece, Emit):
        say(json.dumps(piece.value, ensure_ascii=False))
        sys.stdout.flush()
    elif isinstance(piece, LogEntry):
        show_log(piece)
    else:
        show_answer(piece, logs=False)


def _line(piece: Heard) -> None:
    from wsmgr.client.executing import Emit  # noqa: PLC0415
    from wsmgr.wire.execute import LogEntry  # noqa: PLC0415

    if isinstance(piece, Emit):
        document: dict[str, object] = {"emit": piece.value}
    else:
        document = {"log" if isinstance(piece, LogEntry) else "result": plain(piece)}
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()
