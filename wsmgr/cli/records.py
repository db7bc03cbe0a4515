"""`logs` and `executions`: what was written down about a workspace."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from wsmgr.cli.humane import ago, milliseconds
from wsmgr.cli.options import Json, WorkspaceId
from wsmgr.cli.output import note, print_json, print_table, say, state_cell
from wsmgr.cli.wiring import wiring_of

if TYPE_CHECKING:
    from wsmgr.client import Client
    from wsmgr.wire.execution import Execution

_PAGE = 100


def logs(
    context: typer.Context,
    workspace: WorkspaceId,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=10_000, help="How many of the last lines.")] = 100,
    as_json: Json = False,
) -> None:
    """Print what the runtime in a workspace wrote. What plugins log is in the execution records."""
    with wiring_of(context).client() as client:
        found = client.workspace_logs(workspace, lines=lines).items
    if as_json:
        print_json(found)
        return
    if not found:
        note(f"The runtime of {workspace} has written nothing.")
    for line in found:
        say(line)


def executions(
    context: typer.Context,
    workspace: WorkspaceId,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many of the newest.")] = 20,
    as_json: Json = False,
) -> None:
    """List the newest execution records of a workspace."""
    with wiring_of(context).client() as client:
        found = _newest(client, workspace, limit)
    if as_json:
        print_json(found)
        return
    if not found:
        note(f"Nothing has run in {workspace} yet.")
        return
    now = datetime.now(UTC)
    rows = [
        (
            one.id,
            one.plugin,
            state_cell(one.state),
            ago(one.created_at, now),
            milliseconds(one.duration_ms),
            f"cold, {milliseconds(one.start_ms)}" if one.cold_start else "warm",
            f"{one.isolation} (degraded)" if one.degraded else one.isolation,
            "" if one.error is None else f"{one.error.type}: {one.error.message}"[:80],
        )
        for one in found
    ]
    print_table(("EXECUTION", "PLUGIN", "STATE", "WHEN", "TOOK", "START", "ISOLATION", "ERROR"), rows)


def _newest(client: Client, workspace: str, limit: int) -> list[Execution]:
    page = client.executions(workspace, limit=min(limit, _PAGE))
    found = list(page.items)
    while page.next is not None and len(found) < limit:
        page = client.executions(workspace, limit=min(limit - len(found), _PAGE), before=page.next)
        found += page.items
    return found[:limit]
