"""`owner …`: what is chosen for users and organisations."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated

import typer

from wsmgr.cli.completion import limit_assignments, limit_names, plan_names
from wsmgr.cli.failure import USAGE, Failure
from wsmgr.cli.humane import plural, span
from wsmgr.cli.options import Json
from wsmgr.cli.output import note, print_fields, print_json, print_table
from wsmgr.cli.plans import NO_PLAN, limit_fields
from wsmgr.cli.wiring import wiring_of

if TYPE_CHECKING:
    from wsmgr.client import Client
    from wsmgr.wire.owner import Owner

Key = Annotated[str, typer.Argument(metavar="OWNER", help="user:<id> or org:<id>.", show_default=False)]
CHOICES = ("plan", "isolation", "fallback")


def ls(context: typer.Context, as_json: Json = False) -> None:
    """List the owners for whom something was chosen, or who have a workspace."""
    with wiring_of(context).client() as client:
        found = _all(client)
    if as_json:
        print_json(found)
        return
    if not found:
        note("There are no owners yet; the first call of a user makes one.")
        return
    print_table(
        ("OWNER", "PLAN", "ISOLATION", "MEMORY", "CPU", "WORKSPACES", "STOPPED", "OVERRIDES"), [_row(o) for o in found]
    )
    note(plural(len(found), "owner"))


def show(context: typer.Context, owner: Key, as_json: Json = False) -> None:
    """Show what is chosen for an owner, and the limits that come of it."""
    with wiring_of(context).client() as client:
        found = client.owner(owner)
    _print(found, as_json=as_json)


def put(
    context: typer.Context,
    owner: Key,
    plan: Annotated[
        str | None,
        typer.Option(metavar="PLAN", help="Its plan.", show_default=False, autocompletion=plan_names),
    ] = None,
    isolation: Annotated[
        str | None, typer.Option(metavar="WORD", help="container, worker or none.", show_default=False)
    ] = None,
    fallback: Annotated[
        bool | None,
        typer.Option(
            "--fallback/--no-fallback", help="Whether a worker may stand in for a container.", show_default=False
        ),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A limit that differs from the plan's; may be given again.",
            show_default=False,
            autocompletion=limit_assignments,
        ),
    ] = None,
    unset_limit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Back to the plan's own limit.", show_default=False, autocompletion=limit_names
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Choose for an owner; what is not named stays as it is.

    The owner's live workspaces follow: at once where they can, else at their next idle moment.
    """
    overrides: dict[str, float | bool | None] = {_known(name): None for name in unset_limit or []}
    overrides |= dict(_assigned(text) for text in limit or [])
    given = {"plan": plan, "isolation": isolation, "fallback": fallback, "overrides": overrides or None}
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise Failure("nothing to set: name a plan, an isolation, the fallback or a limit.", USAGE)
    with wiring_of(context).client() as client:
        if plan is not None:
            _check_plan(client, plan)
        _print(client.patch_owner(owner, changes), as_json=as_json)


def unset(
    context: typer.Context,
    owner: Key,
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WHAT]…", help="plan, isolation, fallback or a limit; all when left out."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Take back what was chosen for an owner: the daemon's own choices hold again."""
    changes: dict[str, object] = {name: None for name in (what or CHOICES) if name in CHOICES}
    limits = [_known(name) for name in what or () if name not in CHOICES]
    if not what or limits:
        changes["overrides"] = dict.fromkeys(limits) if what else None
    with wiring_of(context).client() as client:
        _print(client.patch_owner(owner, changes), as_json=as_json)


def _assigned(text: str) -> tuple[str, float | bool]:
    """`memoryMb=300` as its name and its value. Raises Failure."""
    name, sign, value = text.partition("=")
    if not sign:
        raise Failure(f"{text!r} is not of the form NAME=VALUE.", USAGE)
    if value in {"true", "false"}:
        return _known(name), value == "true"
    try:
        return _known(name), int(value) if value.lstrip("-").isdecimal() else float(value)
    except ValueError:
        raise Failure(f"{name}={value}: the value must be a number, true or false.", USAGE) from None


def _known(name: str) -> str:
    """A name that is one of a limit. Raises Failure."""
    known = limit_names("")
    if name not in known:
        meant = difflib.get_close_matches(name, known, 1)
        raise Failure(f"there is no limit {name!r}" + (f"; {meant[0]} may be meant." if meant else "."), USAGE)
    return name


def _check_plan(client: Client, plan: str) -> None:
    """The daemon would take an unknown plan for FREE; a person who types one has misspelt it."""
    names = [one.name for one in client.plans().items]
    if plan.upper() not in names:
        raise Failure(f"there is no plan {plan}; there are {', '.join(names)}.", USAGE)


def _all(client: Client) -> list[Owner]:
    page = client.owners()
    found = list(page.items)
    while page.next is not None:
        page = client.owners(before=page.next)
        found += page.items
    return found


def _row(item: Owner) -> tuple[str, ...]:
    limits = item.limits
    return (
        item.key,
        item.plan or NO_PLAN,
        item.isolation or "-",
        f"{limits.memory_mb} MiB",
        f"{limits.cpus:g}",
        str(limits.max_concurrent_workspaces),
        f"after {span(limits.idle_timeout_seconds)}" if limits.idle_timeout_seconds else "never",
        ", ".join(item.overrides) or "-",
    )


def _print(item: Owner, *, as_json: bool) -> None:
    if as_json:
        print_json(item)
        return
    fallback = {True: "allowed", False: "refused", None: "the daemon's choice"}[item.fallback]
    chosen = [
        ("owner", item.key),
        ("plan", item.plan or NO_PLAN),
        ("isolation", item.isolation or "the daemon's choice"),
        ("fallback", fallback),
    ]
    limits = [(n, f"{text}  (override)" if n in item.overrides else text) for n, text in limit_fields(item.limits)]
    print_fields([*chosen, *limits])
