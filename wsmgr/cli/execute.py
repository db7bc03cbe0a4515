"""`execute`: one call, as the main server makes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wsmgr.cli.failure import PLUGIN_FAILED
from wsmgr.cli.files import is_plugin_file, read_input, read_plugin
from wsmgr.cli.humane import milliseconds
from wsmgr.cli.options import InputFile, Json, SlugOption
from wsmgr.cli.output import note, print_json, say
from wsmgr.cli.wiring import wiring_of

if TYPE_CHECKING:
    from wsmgr.wire.execute import ExecuteResponse, InlinePlugin


def execute(
    context: typer.Context,
    plugin: Annotated[
        str, typer.Argument(metavar="PLUGIN", help="A stored plugin's name, or a file with code.", show_default=False)
    ],
    user: Annotated[str, typer.Option("--user", metavar="ID", help="For whom it runs.", show_default=False)],
    org: Annotated[
        str | None,
        typer.Option("--org", metavar="ID", help="The organisation that owns the workspace.", show_default=False),
    ] = None,
    workspace: Annotated[
        str | None, typer.Option(metavar="NAME", help="A further workspace of the owner.", show_default=False)
    ] = None,
    input_file: InputFile = None,
    json_input: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The input, as JSON text.", show_default=False)
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0.001, help="The plugin's own time.", show_default=False),
    ] = None,
    execution_id: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", help="Names the call: the same id never runs twice.", show_default=False),
    ] = None,
    slug: SlugOption = None,
    as_json: Json = False,
) -> None:
    """Run a plugin and print what it returns.

    The output goes to standard output, the plugin's logs and a summary to standard error. Exit code: 0 it succeeded,
    3 the plugin failed, 1 something else did, 2 the command line is wrong.
    """
    value = read_input(input_file, json_input)
    chosen: str | InlinePlugin = _inline(Path(plugin), slug) if is_plugin_file(plugin) else plugin
    with wiring_of(context).client() as client:
        answer = client.execute(
            user,
            chosen,
            value,
            organization_id=org,
            workspace=workspace,
            timeout_ms=None if timeout is None else round(timeout * 1000),
            execution_id=execution_id,
        )
    if as_json:
        print_json(answer)
    else:
        show_answer(answer)
    if not answer.success:
        raise typer.Exit(PLUGIN_FAILED)


def show_answer(answer: ExecuteResponse) -> None:
    """The output on standard output; logs, error and summary on standard error."""
    for entry in answer.logs:
        note(f"  {entry.level:>5} {milliseconds(entry.t):>9}  {entry.message}")
    if answer.logs_truncated:
        note("  (the logs were cut)")
    if answer.success:
        say(json.dumps(answer.output, indent=2, ensure_ascii=False))
    elif answer.error is not None:
        note(f"wsmgr: the plugin failed: {answer.error.type}: {answer.error.message}")
        if answer.error.stack:
            note(answer.error.stack)
    note(summary(answer))


def summary(answer: ExecuteResponse) -> str:
    """One line: how long, how cold, how isolated, which version."""
    started = f"cold start {milliseconds(answer.start_ms)}" if answer.cold_start else "warm"
    queued = f", queued {milliseconds(answer.queue_ms)}" if answer.queue_ms >= 1 else ""
    isolation = f"{answer.isolation} (degraded)" if answer.degraded else answer.isolation
    return (
        f"{milliseconds(answer.duration_ms)}, {started}{queued}, isolation {isolation}, "
        f"version {answer.plugin_version[:12]}, execution {answer.execution_id}"
    )


def _inline(path: Path, slug: str | None) -> InlinePlugin:
    from wsmgr.wire.execute import InlinePlugin  # noqa: PLC0415  # pydantic only when a call is made

    text = read_plugin(path, slug)
    # Checked by the daemon, whose sentence says what is wrong; nothing is checked twice.
    return InlinePlugin.model_construct(slug=text.slug, language=text.language, code=text.code)
