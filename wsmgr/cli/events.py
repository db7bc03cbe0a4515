"""`events`: who did what, when and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from wsmgr.cli.options import Json
from wsmgr.cli.output import note, plain, print_json, say
from wsmgr.cli.wiring import wiring_of

if TYPE_CHECKING:
    from wsmgr.client import Client
    from wsmgr.wire.event import Event, EventPage

_PAGE = 500

Id = Annotated[
    str | None,
    typer.Argument(metavar="[WORKSPACE]", help="Of this workspace alone; all when left out.", show_default=False),
]


def events(
    context: typer.Context,
    workspace: Id = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many of the newest.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens, until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Show the audit trail, oldest first. With --follow, --json prints one document a line."""
    with wiring_of(context).client() as client:
        newest = client.audit(limit=1).items if follow else []
        found = _newest(client, workspace, limit)
        if as_json and not follow:
            print_json(found)
            return
        if not found and not follow:
            note("Nothing has happened yet.")
        _show(found, as_json=as_json)
        if follow:
            known = [*newest, *found]
            _follow(client, workspace, max((one.id for one in known), default=0), as_json=as_json)


def _follow(client: Client, workspace: str | None, after: int, *, as_json: bool) -> None:
    try:
        for event in client.follow(after=after):
            if workspace in (None, event.workspace):
                _show([event], as_json=as_json)
    except KeyboardInterrupt:
        return


def _show(found: Iterable[Event], *, as_json: bool) -> None:
    for one in found:
        if as_json:
            sys.stdout.write(json.dumps(plain(one)) + "\n")
            continue
        change = ""
        if one.before is not None and one.after is not None:
            change = "  " + ", ".join(
                f"{name}: {one.before.get(name)} → {value}"
                for name, value in one.after.items()
                if one.before.get(name) != value
            )
        say(
            f"{one.at.astimezone():%Y-%m-%d %H:%M:%S}  {one.workspace or '-'}  {one.action}  {one.actor}  "
            f"{one.reason}{change}"
        )
    sys.stdout.flush()


def _newest(client: Client, workspace: str | None, limit: int) -> list[Event]:
    """The newest, oldest of them first."""

    def page(count: int, before: str | None) -> EventPage:
        if workspace is None:
            return client.audit(limit=count, before=before)
        return client.workspace_events(workspace, limit=count, before=before)

    found: list[Event] = []
    before: str | None = None
    while len(found) < limit:
        seen = page(min(limit - len(found), _PAGE), before)
        found += seen.items
        before = seen.next
        if before is None:
            break
    return found[::-1]
