"""`execute --async` and `cancel`: calls that are not waited for."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsmgr.cli.answer import show_log
from wsmgr.cli.failure import INTERRUPTED, PLUGIN_FAILED
from wsmgr.cli.humane import milliseconds
from wsmgr.cli.options import Json
from wsmgr.cli.output import note, print_json, say
from wsmgr.cli.wiring import wiring_of

if TYPE_CHECKING:
    from wsmgr.client import Client
    from wsmgr.wire.execution import Execution

FIRST_LOOK_S = 0.1
LONGEST_LOOK_S = 2.0
GOING_ON = ("queued", "running")


def queue(client: Client, call: tuple[Any, ...], options: dict[str, Any], *, wait: bool, as_json: bool) -> None:
    """Queue a call and print its id, or wait for its end. Raises typer.Exit when it failed, or at Ctrl-C."""
    ticket = client.execute_later(*call, **options)
    if not wait:
        print_json(ticket) if as_json else say(ticket.execution_id)
        return
    note(f"Queued as {ticket.execution_id}.")
    try:
        record = _ended(client, ticket.execution_id)
    except KeyboardInterrupt:
        client.cancel(ticket.execution_id)
        note("Cancelled.")
        raise typer.Exit(INTERRUPTED) from None
    print_json(record) if as_json else _show(record)
    if record.state != "succeeded":
        raise typer.Exit(PLUGIN_FAILED)


def cancel(
    context: typer.Context,
    execution: Annotated[str, typer.Argument(metavar="ID", help="The id of the execution.", show_default=False)],
    as_json: Json = False,
) -> None:
    """End an execution that is queued, waits or runs. One that is over already is an error."""
    with wiring_of(context).client() as client:
        answer = client.cancel(execution)
    if as_json:
        print_json(answer)
    elif answer.state == "cancelled":
        say(f"{execution} is cancelled.")
    else:
        say(f"{execution} has been told to end.")


def _ended(client: Client, execution: str) -> Execution:
    pause = FIRST_LOOK_S
    while (record := client.execution(execution)).state in GOING_ON:
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_LOOK_S)
    return record


def _show(record: Execution) -> None:
    for entry in record.logs:
        show_log(entry)
    if record.logs_truncated:
        note("  (the logs were cut)")
    if record.state == "succeeded":
        say(json.dumps(record.output, indent=2, ensure_ascii=False))
    elif record.error is not None:
        note(f"wsmgr: the execution {record.state}: {record.error.type}: {record.error.message}")
    else:
        note(f"wsmgr: the execution is {record.state}: it had started, and its outcome is not known.")
    note(f"{milliseconds(record.duration_ms)}, queued {milliseconds(record.queue_ms)}, execution {record.id}")
