"""`volume`: what root has given this host for the persistent data of workspaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from wsmgr.cli.options import Json
from wsmgr.cli.output import Cell, note, print_json, print_table, say
from wsmgr.cli.wiring import wiring_of
from wsmgr.cli.workspaces import confirm

if TYPE_CHECKING:
    from wsmgr.wire.volume import Volume

Name = Annotated[str, typer.Argument(metavar="VOLUME", help="Its name in the list.", show_default=False)]


def volumes(context: typer.Context, as_json: Json = False) -> None:
    """List the volumes, and which workspace has its data on which."""
    with wiring_of(context).client() as client:
        found = client.volumes().items
    if as_json:
        print_json(found)
        return
    if not found:
        note("This host has no volumes, so that no workspace has a /data. `wsmgr doctor` says how to mend that.")
        return
    rows = [
        (one.name, _state(one), one.workspace or "-", f"{one.used_mb:.1f}", f"{one.cap_mb:.1f}", f"{one.size_mb:.1f}")
        for one in found
    ]
    print_table(("VOLUME", "STATE", "WORKSPACE", "USED MiB", "OF MiB", "SIZE MiB"), rows)
    for one in found:
        if one.trouble is not None:
            note(f"{one.name}: {one.trouble}")


def rm(
    context: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete the data of an orphan, for ever: of a volume with data that no workspace holds.

    The data of a workspace is deleted with the workspace, by `wsmgr rm`.
    """
    confirm(f"Delete all data on the volume {name}? It cannot be brought back.", yes=yes)
    with wiring_of(context).client() as client:
        client.delete_volume(name)
    if as_json:
        print_json({"name": name, "deleted": True})
    else:
        say(f"{name}  free")


def _state(one: Volume) -> Cell:
    if one.trouble is not None:
        return Cell("cannot be used", "bold red")
    if one.orphan:
        return Cell("orphan", "yellow")
    return Cell("used" if one.workspace is not None else "free")
