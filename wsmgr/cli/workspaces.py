"""`ls`, `show` and the verbs: what operators do with workspaces."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from wsmgr.cli.failure import OTHER, USAGE, Failure
from wsmgr.cli.humane import ago, plural, span
from wsmgr.cli.options import Json, Wait, WorkspaceId, WorkspaceIds
from wsmgr.cli.output import Cell, note, print_fields, print_json, print_table, say, status_cell
from wsmgr.cli.wiring import wiring_of

if TYPE_CHECKING:
    from wsmgr.client import Client
    from wsmgr.wire.workspace import Workspace


def ls(context: typer.Context, as_json: Json = False) -> None:
    """List the workspaces."""
    with wiring_of(context).client() as client:
        found = _all(client)
    if as_json:
        print_json(found)
        return
    if not found:
        note("There are no workspaces yet; the first call of a user makes one.")
        return
    now = datetime.now(UTC)
    rows = [
        (
            item.id,
            status_cell(item.status),
            item.plan or "-",
            item.isolation,
            item.runtime or "-",
            _health(item),
            _figure(item.resource_usage.memory_mb, "MiB"),
            _figure(item.resource_usage.cpu_percent, "%"),
            ago(item.last_activity_at, now),
            item.reason,
        )
        for item in found
    ]
    print_table(
        ("WORKSPACE", "STATUS", "PLAN", "ISOLATION", "RUNTIME", "HEALTH", "MEMORY", "CPU", "ACTIVE", "WHY"), rows
    )
    note(plural(len(found), "workspace"))


def show(context: typer.Context, workspace: WorkspaceId, as_json: Json = False) -> None:
    """Show everything about one workspace."""
    with wiring_of(context).client() as client:
        found = client.workspace(workspace)
    if as_json:
        print_json(found)
    else:
        print_fields(_fields(found, datetime.now(UTC)))


def start(context: typer.Context, workspaces: WorkspaceIds, wait: Wait = 30.0, as_json: Json = False) -> None:
    """Start workspaces."""
    _each(context, workspaces, lambda client, name: client.start(name, wait=wait), "RUNNING", wait, as_json=as_json)


def stop(context: typer.Context, workspaces: WorkspaceIds, wait: Wait = 30.0, as_json: Json = False) -> None:
    """Stop workspaces. The next call of their owner starts them again."""
    _each(context, workspaces, lambda client, name: client.stop(name, wait=wait), "STOPPED", wait, as_json=as_json)


def restart(context: typer.Context, workspaces: WorkspaceIds, wait: Wait = 30.0, as_json: Json = False) -> None:
    """Give workspaces a fresh container."""
    _each(context, workspaces, lambda client, name: client.restart(name, wait=wait), "RUNNING", wait, as_json=as_json)


def pause(context: typer.Context, workspaces: WorkspaceIds, wait: Wait = 30.0, as_json: Json = False) -> None:
    """Freeze workspaces: they keep their memory and use no CPU. The next call of their owner resumes them."""
    _each(context, workspaces, lambda client, name: client.pause(name, wait=wait), "PAUSED", wait, as_json=as_json)


def resume(context: typer.Context, workspaces: WorkspaceIds, wait: Wait = 30.0, as_json: Json = False) -> None:
    """Let paused workspaces go on."""
    _each(context, workspaces, lambda client, name: client.resume(name, wait=wait), "RUNNING", wait, as_json=as_json)


def recover(context: typer.Context, workspaces: WorkspaceIds, wait: Wait = 30.0, as_json: Json = False) -> None:
    """Start workspaces that are in ERROR.

    Their failures are forgiven: the count of restarts begins anew.
    """
    _each(context, workspaces, lambda client, name: client.recover(name, wait=wait), "RUNNING", wait, as_json=as_json)


def rm(
    context: typer.Context,
    workspaces: WorkspaceIds,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Wait = 30.0,
    as_json: Json = False,
) -> None:
    """Remove workspaces with their persistent data. The owner's plugins, settings and history stay."""
    confirm(f"Remove {', '.join(workspaces)}? What lies in their /data goes, too.", yes=yes)
    _each(
        context, workspaces, lambda client, name: client.delete_workspace(name, wait=wait), None, wait, as_json=as_json
    )


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is lost. Raises Failure when nobody can be asked, Abort when the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Failure("this asks before it removes, and nobody is there to answer: pass --yes.", USAGE)
    typer.confirm(question, abort=True, err=True)


def _each(
    context: typer.Context,
    names: list[str],
    act: Callable[[Client, str], Workspace | None],
    wanted: str | None,
    wait: float,
    *,
    as_json: bool,
) -> None:
    """Do one thing to several workspaces; one that fails does not keep the others from their turn."""
    from wsmgr.client import ApiError  # noqa: PLC0415  # httpx only when a call is made

    done: list[object] = []
    failed = False
    with wiring_of(context).client() as client:
        for name in names:
            try:
                after = act(client, name)
            except ApiError as error:
                note(f"wsmgr: {name}: {error.detail}")
                failed = True
                continue
            done.append({"id": name, "removed": True} if after is None else after)
            if not as_json:
                _say_after(name, after)
            if after is not None and wait > 0 and wanted != after.status:
                note(f"wsmgr: {name} is {after.status} and not {wanted} after {span(wait)}: {after.reason}")
                failed = True
    if as_json:
        print_json(done)
    if failed:
        raise typer.Exit(OTHER)


def _say_after(name: str, after: Workspace | None) -> None:
    say(f"{name}  removed" if after is None else f"{name}  {status_cell(after.status).text}  {after.reason}")


def _all(client: Client) -> list[Workspace]:
    page = client.workspaces()
    found = list(page.items)
    while page.next is not None:
        page = client.workspaces(before=page.next)
        found += page.items
    return found


def _fields(item: Workspace, now: datetime) -> list[tuple[str, str | Cell]]:
    usage, health, limits = item.resource_usage, item.health, item.limits
    verdict = {True: "healthy", False: "unhealthy", None: "unknown"}[health.healthy]
    since = "" if health.last_check is None else f", checked {ago(health.last_check, now)}"
    up = "" if health.uptime is None else f", up {span(health.uptime)}"
    return [
        ("workspace", item.id),
        ("status", status_cell(item.status)),
        ("why", item.reason),
        ("desired", item.desired),
        ("plan", item.plan or "none"),
        ("isolation", item.isolation),
        ("image", item.image or "-"),
        ("runtime", item.runtime or "-"),
        ("container", item.container_id or "-"),
        ("created", ago(item.created_at, now)),
        ("active", ago(item.last_activity_at, now)),
        ("health", f"{verdict}{up}{since}"),
        ("restarts", _restarts(item)),
        ("memory", f"{_figure(usage.memory_mb, 'MiB')} of {limits.memory_mb} MiB"),
        ("cpu", f"{_figure(usage.cpu_percent, '%')} of {limits.cpus * 100:g} %"),
        ("pids", f"at most {limits.pids}"),
        ("calls", f"{limits.concurrent_executions} at once, {limits.queue_length} waiting"),
        ("limits", _holding(item.limits_enforced)),
        ("data", "-" if item.data is None else item.data.reason),
        ("idle", _ladder(item)),
        ("plugins", ", ".join(f"{one.slug} ({one.version[:12]})" for one in item.plugins) or "none"),
    ]


def _health(item: Workspace) -> str:
    """What its last check found, and how long it has been up."""
    health = item.health
    if health.healthy is None:
        return "-"
    if not health.healthy:
        return f"failed {health.consecutive_failures}x"
    up = "" if health.uptime is None else f" {span(health.uptime)}"
    return f"ok{up}"


def _restarts(item: Workspace) -> str:
    left = item.health.restarts_left
    return str(item.restarts) if left is None else f"{item.restarts}, {left} left before it is given up"


def _ladder(item: Workspace) -> str:
    """When the next rungs come, or what the plan says where none is due."""
    due = [("pauses", item.pauses_in_seconds), ("stops", item.stops_in_seconds)]
    said = [f"{what} in {span(seconds)}" for what, seconds in due if seconds is not None]
    limits = item.limits
    if said:
        return ", ".join(said)
    return f"stops after {span(limits.idle_timeout_seconds)}" if limits.idle_timeout_seconds else "never stops"


def _holding(enforced: Mapping[str, bool]) -> str:
    """Whether the limits that are shown are any."""
    absent = [name for name, held in enforced.items() if not held]
    if absent:
        return f"not enforced on this host: {', '.join(absent)}"
    return "all enforced" if enforced else "not proven"


def _figure(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:.1f} {unit}"
