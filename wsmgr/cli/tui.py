"""`tui` and `top`: the fleet on a terminal, live or as one frame. Textual is loaded by `tui` alone."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import Annotated

import typer

from wsmgr.cli.failure import Failure
from wsmgr.cli.options import Json
from wsmgr.cli.output import print_json, say
from wsmgr.cli.wiring import wiring_of

_PIPE_WIDTH = 160


def tui(
    context: typer.Context,
    read_only: Annotated[bool, typer.Option("--read-only", help="Only look: no action is offered.")] = False,
    no_mouse: Annotated[
        bool, typer.Option("--no-mouse", help="Leave the mouse to the terminal, to select and copy.")
    ] = False,
    theme: Annotated[
        str | None,
        typer.Option("--theme", metavar="NAME", help="Colours, such as textual-light; remembered.", show_default=False),
    ] = None,
) -> None:
    """Watch and operate all workspaces, live, on this terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Failure("`wsmgr tui` needs a terminal; `wsmgr top` prints one frame for pipes and scripts.")
    if os.environ.get("TERM", "dumb") in {"", "dumb", "unknown"}:
        raise Failure("This terminal (TERM=dumb) cannot be drawn on; `wsmgr top` prints one frame.")
    from tui.run import run  # noqa: PLC0415  # Textual takes 250 ms that no other command must pay

    wired = wiring_of(context)
    raise typer.Exit(run(socket=wired.socket, url=wired.url, read_only=read_only, mouse=not no_mouse, theme=theme))


def top(
    context: typer.Context,
    filter_text: Annotated[
        str, typer.Option("--filter", "-f", metavar="WORDS", help="As in `wsmgr tui`: plan:FREE, cpu>50, !stopped.")
    ] = "",
    sort: Annotated[
        str, typer.Option("--sort", "-s", metavar="COLUMN", help="Such as cpu, mem, id, restarts.")
    ] = "cpu",
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="At most so many rows.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Print one frame of the fleet: who uses what now. Colour on a terminal alone."""
    from tui.model.columns import SORT_KEYS  # noqa: PLC0415  # with the models of the wire, which --help must not load
    from tui.model.filter import BadFilter, parse  # noqa: PLC0415  # as above
    from tui.model.row import row_of  # noqa: PLC0415  # as above
    from tui.model.sort import Sort  # noqa: PLC0415  # as above
    from tui.model.store import Store  # noqa: PLC0415  # as above
    from tui.model.top import ansi, frame, plain  # noqa: PLC0415  # as above
    from tui.model.view import View  # noqa: PLC0415  # as above
    from wsmgr.wire.fleet import FleetSnapshot  # noqa: PLC0415  # as above

    try:
        parse(filter_text)
    except BadFilter as error:
        raise Failure(str(error)) from error
    if sort not in SORT_KEYS:
        raise Failure(f"There is no column {sort!r}; there are {', '.join(SORT_KEYS)}.")
    with wiring_of(context).client() as client:
        snapshot = next(update for update in client.fleet() if isinstance(update, FleetSnapshot))
    now, store = time.time(), Store()
    store.replace((row_of(one, now) for one in snapshot.workspaces), now)
    view = View(store, filter_text=filter_text, sort=Sort().by(sort) if sort != "id" else Sort())
    if as_json:
        wanted = {row.id for row in view.rows(now)[:limit]}
        print_json({"host": snapshot.host, "workspaces": [one for one in snapshot.workspaces if one.id in wanted]})
        return
    tty = sys.stdout.isatty()
    width = shutil.get_terminal_size((_PIPE_WIDTH, 24)).columns if tty or "COLUMNS" in os.environ else _PIPE_WIDTH
    paint = ansi if tty and not os.environ.get("NO_COLOR") else plain
    for line in frame(view, store.counts(), snapshot.host, now=now, width=width, rows=limit, paint=paint):
        if paint is ansi:
            sys.stdout.write(line + "\n")
        else:
            say(line)
