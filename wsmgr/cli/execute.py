"""`execute`: one call, as the main server makes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsmgr.cli.answer import show_answer
from wsmgr.cli.failure import PLUGIN_FAILED
from wsmgr.cli.files import is_plugin_file, read_input, read_plugin
from wsmgr.cli.listening import listen
from wsmgr.cli.options import InputFile, Json, SlugOption
from wsmgr.cli.output import print_json
from wsmgr.cli.queued import queue
from wsmgr.cli.wiring import wiring_of

if TYPE_CHECKING:
    from wsmgr.wire.execute import InlinePlugin


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
    stream: Annotated[
        bool, typer.Option("--stream", help="Print logs and emits as they come; Ctrl-C cancels.")
    ] = False,
    later: Annotated[bool, typer.Option("--async", help="Queue the call and print its id.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="With --async: until it is over; Ctrl-C cancels.")] = False,
    callback: Annotated[
        str | None, typer.Option(metavar="URL", help="With --async: who is told of its end.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a plugin and print what it returns.

    The output goes to standard output, the plugin's logs and a summary to standard error. With --stream each emit is a
    line of JSON on standard output, and with --json every piece is one, the result last. Exit code: 0 it succeeded, 3
    the plugin failed, 1 something else did, 2 the command line is wrong, 130 it was cancelled by Ctrl-C."""
    _check_options(stream=stream, later=later, wait=wait, callback=callback)
    value = read_input(input_file, json_input)
    chosen: str | InlinePlugin = _inline(Path(plugin), slug) if is_plugin_file(plugin) else plugin
    options: dict[str, Any] = {
        "organization_id": org,
        "workspace": workspace,
        "timeout_ms": None if timeout is None else round(timeout * 1000),
        "execution_id": execution_id,
    }
    with wiring_of(context).client() as client:
        if later:
            queue(client, (user, chosen, value), {**options, "callback": callback}, wait=wait, as_json=as_json)
            return
        if stream:
            listen(client, (user, chosen, value), options, as_json=as_json)
            return
        answer = client.execute(user, chosen, value, **options)
    if as_json:
        print_json(answer)
    else:
        show_answer(answer)
    if not answer.success:
        raise typer.Exit(PLUGIN_FAILED)


def _check_options(*, stream: bool, later: bool, wait: bool, callback: str | None) -> None:
    if stream and later:
        raise typer.BadParameter("--stream and --async exclude each other.")
    if (wait or callback is not None) and not later:
        raise typer.BadParameter("--wait and --callback are for --async.")


def _inline(path: Path, slug: str | None) -> InlinePlugin:
    from wsmgr.wire.execute import InlinePlugin  # noqa: PLC0415  # pydantic only when a call is made

    text = read_plugin(path, slug)
    # Checked by the daemon, whose sentence says what is wrong; nothing is checked twice.
    return InlinePlugin.model_construct(slug=text.slug, language=text.language, code=text.code)
