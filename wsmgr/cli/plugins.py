"""`plugin …`: an owner's plugins and their versions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from wsmgr.cli.humane import ago, size
from wsmgr.cli.options import Json, WorkspaceId
from wsmgr.cli.output import note, print_json, print_table, say
from wsmgr.cli.putting import print_result
from wsmgr.cli.versions import SHORT, named
from wsmgr.cli.wiring import wiring_of
from wsmgr.cli.workspaces import confirm

if TYPE_CHECKING:
    from wsmgr.wire.plugin import PluginVersion

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The plugin's name.", show_default=False)]


def ls(context: typer.Context, workspace: WorkspaceId, as_json: Json = False) -> None:
    """List the plugins of a workspace's owner."""
    with wiring_of(context).client() as client:
        found = client.plugins(workspace).items
    _print_versions(found, as_json=as_json, empty=f"{workspace} has no plugins; `wsmgr plugin put` stores one.")


def show(context: typer.Context, workspace: WorkspaceId, slug: Slug, as_json: Json = False) -> None:
    """List the versions of one plugin, newest first."""
    with wiring_of(context).client() as client:
        found = client.plugin(workspace, slug).items
    _print_versions(found, as_json=as_json, empty=f"{slug} has no versions.")


def rm(
    context: typer.Context,
    workspace: WorkspaceId,
    slug: Slug,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove a plugin with all its versions."""
    confirm(f"Remove the plugin {slug} of {workspace} with all its versions?", yes=yes)
    with wiring_of(context).client() as client:
        client.delete_plugin(workspace, slug)
    if as_json:
        print_json({"slug": slug, "removed": True})
    else:
        say(f"{slug}  removed")


def rollback(
    context: typer.Context,
    workspace: WorkspaceId,
    slug: Slug,
    version: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION",
            help="Which one, or what it begins with; the one before when left out.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make an older version of a plugin current."""
    with wiring_of(context).client() as client:
        wanted = None if version is None else named(client.plugin(workspace, slug).items, slug, version)
        result = client.rollback(workspace, slug, version=wanted)
    if as_json:
        print_json(result)
    else:
        print_result(result)


def _print_versions(found: list[PluginVersion], *, as_json: bool, empty: str) -> None:
    if as_json:
        print_json(found)
        return
    if not found:
        note(empty)
        return
    now = datetime.now(UTC)
    rows = [
        (
            one.slug,
            one.version[:SHORT],
            "✔ current" if one.current else "-",
            one.language,
            size(one.size),
            ago(one.created_at, now),
            one.created_by,
        )
        for one in found
    ]
    print_table(("PLUGIN", "VERSION", "CURRENT", "LANGUAGE", "SIZE", "STORED", "BY"), rows)
