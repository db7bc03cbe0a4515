"""`secrets …`: the keys that the secrets of all plugins are sealed with."""

from __future__ import annotations

from typing import Annotated

import typer

from wsmgr.cli.options import Json
from wsmgr.cli.output import print_json, say
from wsmgr.cli.wiring import wiring_of
from wsmgr.cli.workspaces import confirm


def rotate(context: typer.Context, as_json: Json = False) -> None:
    """Make a new key, seal all secrets with it, and forget the old one.

    The daemon does it while it runs. Take a new copy of the key file afterwards; copies of the database from before
    need the old one.
    """
    with wiring_of(context).client() as client:
        rotated = client.rotate_secrets()
    if as_json:
        print_json(rotated)
    else:
        say(f"A new key is in use; {rotated.resealed} secrets were sealed with it. Copy the key file anew.")


def forget(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Remove the secrets of all plugins, while no daemon runs.

    This is for the day when the key file is lost: a daemon does not start while there are secrets that no key opens.
    """
    confirm("Remove the secrets of all plugins of this daemon? They cannot be brought back.", yes=yes)
    wiring = wiring_of(context)
    count = wiring.backend().forget_secrets(wiring.settings())
    if as_json:
        print_json({"removed": count})
    else:
        say(f"{count} secrets removed")
