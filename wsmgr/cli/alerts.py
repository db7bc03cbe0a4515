"""`alerts`: what an operator should know of now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from wsmgr.cli.humane import ago
from wsmgr.cli.options import Json
from wsmgr.cli.output import Cell, note, print_json, print_table, say
from wsmgr.cli.wiring import wiring_of

_SEVERITY = {"critical": Cell("✖ critical", "bold red"), "warning": Cell("! warning", "yellow")}


def alerts(
    context: typer.Context,
    resolved: Annotated[bool, typer.Option("--all", help="Resolved ones too.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="How many of the newest.")] = 100,
    as_json: Json = False,
) -> None:
    """List the alerts that are open."""
    if context.invoked_subcommand is not None:
        return
    with wiring_of(context).client() as client:
        found = client.alerts(resolved=resolved, limit=limit).items
    if as_json:
        print_json(found)
        return
    if not found:
        note("There are no alerts." if resolved else "There are no open alerts.")
        return
    now = datetime.now(UTC)
    rows = [
        (
            str(one.id),
            _SEVERITY.get(one.severity, Cell(one.severity)),
            one.workspace or "-",
            ago(one.raised_at, now),
            "open" if one.resolved_at is None else ago(one.resolved_at, now),
            one.acknowledged_by or "-",
            one.sentence,
        )
        for one in found
    ]
    print_table(("ALERT", "SEVERITY", "WORKSPACE", "RAISED", "RESOLVED", "KNOWN TO", "WHAT"), rows)


def ack(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="ALERT", min=1, help="The number in the list.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Say that you know of an alert. It stays open until its cause is gone."""
    with wiring_of(context).client() as client:
        known = client.acknowledge(number)
    if as_json:
        print_json(known)
    else:
        say(f"{known.id}  known to {known.acknowledged_by}")
