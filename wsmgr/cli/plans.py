"""`plan …`: the plans that hold, and the file they come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from wsmgr.cli.completion import plan_names
from wsmgr.cli.failure import OTHER, Failure
from wsmgr.cli.humane import plural, span
from wsmgr.cli.options import Json
from wsmgr.cli.output import note, print_fields, print_json, print_table, say
from wsmgr.cli.wiring import wiring_of

if TYPE_CHECKING:
    from wsmgr.wire.limits import Limits
    from wsmgr.wire.plan import PlanPage

NO_PLAN = "no plan"


def ls(context: typer.Context, as_json: Json = False) -> None:
    """List the plans that the daemon has."""
    with wiring_of(context).client() as client:
        found = client.plans()
    if as_json:
        print_json(found)
    else:
        _print(found)


def show(
    context: typer.Context,
    plan: Annotated[
        str,
        typer.Argument(metavar="PLAN", help="Its name.", show_default=False, autocompletion=plan_names),
    ],
    as_json: Json = False,
) -> None:
    """Show every limit of one plan."""
    with wiring_of(context).client() as client:
        found = {one.name: one for one in client.plans().items}
    chosen = found.get(plan.upper())
    if chosen is None:
        raise Failure(f"there is no plan {plan}; there are {', '.join(found)}.")
    if as_json:
        print_json(chosen)
    else:
        print_fields([("plan", chosen.name), *limit_fields(chosen.limits)])


def check(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A plans file; the daemon's own when left out.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say whether a plans file can be used, without the daemon."""
    wiring = wiring_of(context)
    try:
        source, names = wiring.backend().check_plans(wiring.settings(), file)
    except Exception as error:
        mistakes = getattr(error, "details", {}).get("mistakes")
        if mistakes is None:
            raise
        _refuse(cast("dict[str, object]", error.details), as_json=as_json)  # type: ignore[attr-defined]  # seen above
        raise typer.Exit(OTHER) from None
    if as_json:
        print_json({"file": source, "ok": True, "plans": names, "mistakes": []})
    else:
        say(f"{source}: {', '.join(names)}")


def reload(context: typer.Context, as_json: Json = False) -> None:
    """Have the daemon read its plans file anew.

    It reaches the workspaces whose limits have changed. A file that cannot be used is refused, and changes nothing.
    """
    with wiring_of(context).client() as client:
        found = client.reload_plans()
    if as_json:
        print_json(found)
    else:
        _print(found)


def default(context: typer.Context, as_json: Json = False) -> None:
    """Print the built-in plans as a plans file, to start from."""
    text = wiring_of(context).backend().default_plans()
    if not as_json:
        typer.echo(text, nl=False)
        return
    import yaml  # noqa: PLC0415  # only this command needs it

    print_json(yaml.safe_load(text))


def limit_fields(limits: Limits) -> list[tuple[str, str]]:
    """Every limit by its name in the API."""
    return [(name, _text(value)) for name, value in limits.model_dump().items()]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _print(found: PlanPage) -> None:
    rows = [_row(plan.name, plan.limits) for plan in found.items]
    head = ("PLAN", "MEMORY", "CPU", "WORKSPACES", "PAUSED", "STOPPED", "CALLS", "RATE", "PLUGINS")
    print_table(head, [*rows, _row(NO_PLAN, found.no_plan)])
    note(f"{plural(len(found.items), 'plan')}, from {found.source}")


def _row(name: str, limits: Limits) -> tuple[str, ...]:
    return (
        name,
        f"{limits.memory_mb} MiB",
        f"{limits.cpus:g}",
        str(limits.max_concurrent_workspaces),
        _after(limits.pause_after_seconds),
        _after(limits.idle_timeout_seconds),
        f"{limits.concurrent_executions} at once, {limits.queue_length} waiting",
        f"{limits.rate_per_second:g}/s" if limits.rate_per_second else "-",
        str(limits.max_plugins),
    )


def _after(seconds: int) -> str:
    return f"after {span(seconds)}" if seconds else "never"


def _refuse(details: dict[str, object], *, as_json: bool) -> None:
    mistakes = cast("list[dict[str, object]]", details["mistakes"])
    if as_json:
        print_json({"file": details["file"], "ok": False, "plans": [], "mistakes": mistakes})
    for mistake in mistakes:
        line = "" if mistake["line"] is None else f", line {mistake['line']}"
        note(f"{details['file']}{line}: {mistake['reason']}")
