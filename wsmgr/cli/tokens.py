"""`token …`: bearer tokens for the TCP address of the API. They are kept hashed in the daemon's database."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from wsmgr.cli.failure import Failure
from wsmgr.cli.humane import ago
from wsmgr.cli.options import Json
from wsmgr.cli.output import note, print_json, print_table, say
from wsmgr.cli.wiring import wiring_of
from wsmgr.cli.workspaces import confirm

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the token is called.", show_default=False)]


class Role(StrEnum):
    """What the bearer may do."""

    SERVICE = "service"
    VIEWER = "viewer"
    ADMIN = "admin"


def create(
    context: typer.Context,
    name: Name,
    role: Annotated[Role, typer.Option(help="What the bearer may do.")] = Role.SERVICE,
    as_json: Json = False,
) -> None:
    """Make a token and print it. It is shown this once only."""
    wiring = wiring_of(context)
    secret = wiring.backend().create_token(wiring.settings(), name, role.value)
    if as_json:
        print_json({"name": name, "role": role.value, "token": secret})
        return
    say(secret)
    note(f"The token {name} (role {role.value}) is kept only as a hash: this is the one time it is shown.")


def ls(context: typer.Context, as_json: Json = False) -> None:
    """List the tokens, without their secrets."""
    wiring = wiring_of(context)
    found = wiring.backend().list_tokens(wiring.settings())
    if as_json:
        print_json([{"name": one.name, "role": one.role, "createdAt": one.created_at.isoformat()} for one in found])
        return
    if not found:
        note("There are no tokens; `wsmgr token create` makes one.")
        return
    now = datetime.now(UTC)
    print_table(("TOKEN", "ROLE", "MADE"), [(one.name, one.role, ago(one.created_at, now)) for one in found])


def rm(
    context: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Revoke a token."""
    confirm(f"Revoke the token {name}?", yes=yes)
    wiring = wiring_of(context)
    if wiring.backend().delete_token(wiring.settings(), name) is False:
        raise Failure(f"there is no token {name}.")
    if as_json:
        print_json({"name": name, "removed": True})
    else:
        say(f"{name}  revoked")
