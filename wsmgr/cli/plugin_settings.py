"""`plugin config …` and `plugin secret …`: what a plugin is given beside its code."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from wsmgr.cli.failure import USAGE, Failure
from wsmgr.cli.files import read_input, standard_input
from wsmgr.cli.humane import ago
from wsmgr.cli.options import InputFile, Json, WorkspaceId
from wsmgr.cli.output import note, print_json, print_table, say
from wsmgr.cli.wiring import wiring_of
from wsmgr.cli.workspaces import confirm

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The plugin's name.", show_default=False)]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Capital letters, digits, underscores.", show_default=False)]


def get_config(context: typer.Context, workspace: WorkspaceId, slug: Slug, as_json: Json = False) -> None:
    """Print the configuration of a plugin, a JSON object."""
    with wiring_of(context).client() as client:
        found = client.plugin_config(workspace, slug)
    print_json(found if as_json else found.config)


def set_config(
    context: typer.Context,
    workspace: WorkspaceId,
    slug: Slug,
    file: InputFile = None,
    text: Annotated[
        str | None, typer.Option("--json-input", metavar="JSON", help="The same as a text.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Replace the configuration of a plugin.

    Calls that start from now on get it as context.config. Passwords and keys are secrets: see plugin secret.
    """
    config = read_input(file, text)
    if not isinstance(config, dict):
        raise Failure("The configuration is a JSON object: pass it with --input or --json-input.", USAGE)
    with wiring_of(context).client() as client:
        put = client.put_plugin_config(workspace, slug, config)
    if as_json:
        print_json(put)
    else:
        say(f"{slug}  configuration replaced")


def set_secret(context: typer.Context, workspace: WorkspaceId, slug: Slug, name: Name, as_json: Json = False) -> None:
    """Set a secret of a plugin.

    The value is read from standard input, without the newline at its end, or asked for on a terminal. It is never an
    argument, which every user of the host could see. It cannot be read back.
    """
    value = _value(name)
    with wiring_of(context).client() as client:
        info = client.put_secret(workspace, slug, name, value)
    if as_json:
        print_json(info)
    else:
        say(f"{slug}  {name} set")


def ls_secrets(context: typer.Context, workspace: WorkspaceId, slug: Slug, as_json: Json = False) -> None:
    """List the secrets of a plugin, without their values."""
    with wiring_of(context).client() as client:
        found = client.secrets(workspace, slug).items
    if as_json:
        print_json(found)
        return
    if not found:
        note(f"{slug} has no secrets; `wsmgr plugin secret set` sets one.")
        return
    now = datetime.now(UTC)
    print_table(("SECRET", "SET", "BY"), [(one.name, ago(one.set_at, now), one.set_by) for one in found])


def rm_secret(
    context: typer.Context,
    workspace: WorkspaceId,
    slug: Slug,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Take a secret from a plugin."""
    confirm(f"Remove the secret {name} of {slug}?", yes=yes)
    with wiring_of(context).client() as client:
        client.delete_secret(workspace, slug, name)
    if as_json:
        print_json({"slug": slug, "name": name, "removed": True})
    else:
        say(f"{slug}  {name} removed")


def _value(name: str) -> str:
    if sys.stdin.isatty():
        value: str = typer.prompt(f"Value of {name}", hide_input=True, err=True)
    else:
        value = standard_input().removesuffix("\n")
    if not value:
        raise Failure("The value is empty: pipe it in, or type it when asked.", USAGE)
    return value
