"""The table of calls: one function for each, shared by the blocking and the asyncio client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import TypeAdapter

from wsmgr.client.executing import call_body
from wsmgr.client.operation import ANSWER_S, LOADING_S, Operation, given, nothing, read_as, segment, workspace_path
from wsmgr.wire.alert import Alert, AlertPage
from wsmgr.wire.capability import CapabilityPage
from wsmgr.wire.event import EventPage
from wsmgr.wire.execute import ExecuteResponse, InlinePlugin, PluginRef
from wsmgr.wire.execution import Execution, ExecutionPage
from wsmgr.wire.health import Health
from wsmgr.wire.host import Host
from wsmgr.wire.owner import Owner, OwnerPage
from wsmgr.wire.plan import PlanPage
from wsmgr.wire.usage import OwnerUsage, Usage, UsageRange
from wsmgr.wire.volume import VolumePage
from wsmgr.wire.workspace import LogPage, Workspace, WorkspaceHealth, WorkspacePage

BEFORE_RUNNING_S = 120.0
"""What an execution may take besides its own time: the queue, a cold start, and the daemon's grace."""

USUAL_EXECUTION_S = 120.0
"""The longest time that a plan gives an execution for which none was asked."""

DELETING_S = 330.0
"""How long the deletion of a volume's data may take."""


def execute(
    user_id: str,
    plugin: str | PluginRef | InlinePlugin,
    input: object = None,  # noqa: A002  # the name that the API gives it
    *,
    organization_id: str | None = None,
    workspace: str | None = None,
    context: Mapping[str, object] | None = None,
    timeout_ms: int | None = None,
    execution_id: str | None = None,
) -> Operation[ExecuteResponse]:
    """Run a plugin for a user. Waits for the plugin's own time and for what may come before it."""
    optional = {
        "organizationId": organization_id,
        "workspace": workspace,
        "context": None if context is None else dict(context),
        "timeoutMs": timeout_ms,
        "executionId": execution_id,
    }
    body = call_body(user_id, plugin, input, optional)
    own_s = USUAL_EXECUTION_S if timeout_ms is None else timeout_ms / 1000
    return Operation(
        "POST", "/api/execute", read_as(ExecuteResponse), body=body, timeout_s=min(own_s, 86_400.0) + BEFORE_RUNNING_S
    )


def execution(execution_id: str) -> Operation[Execution]:
    """One record."""
    return Operation("GET", f"/api/executions/{segment(execution_id)}", read_as(Execution))


def executions(workspace_id: str, *, limit: int | None = None, before: str | None = None) -> Operation[ExecutionPage]:
    """A page of the records of a workspace, newest first; `before` is the `next` of the page before."""
    path = f"{workspace_path(workspace_id)}/executions"
    return Operation("GET", path, read_as(ExecutionPage), query=given({"limit": limit, "before": before}))


def workspaces(*, limit: int | None = None, before: str | None = None) -> Operation[WorkspacePage]:
    """A page of the workspaces, by id."""
    query = given({"limit": limit, "before": before})
    return Operation("GET", "/api/workspaces", read_as(WorkspacePage), query=query)


def workspace(workspace_id: str) -> Operation[Workspace]:
    """One workspace."""
    return Operation("GET", workspace_path(workspace_id), read_as(Workspace))


def put_workspace(workspace_id: str, desired: Literal["RUNNING", "STOPPED"]) -> Operation[Workspace]:
    """Create a workspace, or set what is wanted of it."""
    return Operation("PUT", workspace_path(workspace_id), read_as(Workspace), body={"desired": desired})


def delete_workspace(workspace_id: str, *, wait: float | None = None) -> Operation[None]:
    """Remove a workspace, and `wait` up to so many seconds for it; its owner's plugins and the records stay.
    Idempotent."""
    query = given({"wait": wait})
    return Operation("DELETE", workspace_path(workspace_id), nothing, query=query, timeout_s=LOADING_S + (wait or 0.0))


def start(workspace_id: str, *, wait: float | None = None) -> Operation[Workspace]:
    """Ask for RUNNING; `wait` up to so many seconds for it."""
    return _act(workspace_id, "start", wait)


def stop(workspace_id: str, *, wait: float | None = None) -> Operation[Workspace]:
    """Ask for STOPPED; `wait` up to so many seconds for it."""
    return _act(workspace_id, "stop", wait)


def restart(workspace_id: str, *, wait: float | None = None) -> Operation[Workspace]:
    """Ask for a fresh container; `wait` up to so many seconds for it."""
    return _act(workspace_id, "restart", wait)


def pause(workspace_id: str, *, wait: float | None = None) -> Operation[Workspace]:
    """Freeze it, where this host can."""
    return _act(workspace_id, "pause", wait)


def resume(workspace_id: str, *, wait: float | None = None) -> Operation[Workspace]:
    """Bring it back from PAUSED or STOPPED."""
    return _act(workspace_id, "resume", wait)


def touch(workspace_id: str) -> Operation[Workspace]:
    """Count as activity, so that the idle clock begins again."""
    return _act(workspace_id, "touch", None)


def recover(workspace_id: str, *, wait: float | None = None) -> Operation[Workspace]:
    """Forgive the failures of a workspace in ERROR, and start it again."""
    return _act(workspace_id, "recover", wait)


def workspace_logs(workspace_id: str, *, lines: int | None = None) -> Operation[LogPage]:
    """The last lines that the runtime itself wrote, oldest first."""
    path = f"{workspace_path(workspace_id)}/logs"
    return Operation("GET", path, read_as(LogPage), query=given({"lines": lines}), timeout_s=LOADING_S)


def workspace_events(workspace_id: str, *, limit: int | None = None, before: str | None = None) -> Operation[EventPage]:
    """A page of the audit trail of a workspace, newest first."""
    path = f"{workspace_path(workspace_id)}/events"
    return Operation("GET", path, read_as(EventPage), query=given({"limit": limit, "before": before}))


def audit(
    *,
    limit: int | None = None,
    before: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    workspace: str | None = None,
) -> Operation[EventPage]:
    """A page of the audit trail of the whole daemon, newest first: of one actor, one action, one workspace, or all."""
    query = {"limit": limit, "before": before, "actor": actor, "action": action, "workspace": workspace}
    return Operation("GET", "/api/audit", read_as(EventPage), query=given(query))


def alerts(*, resolved: bool = False, limit: int | None = None, before: str | None = None) -> Operation[AlertPage]:
    """A page of the alerts, newest first: the open ones, and `resolved` ones too when asked."""
    query = given({"all": "true" if resolved else None, "limit": limit, "before": before})
    return Operation("GET", "/api/alerts", read_as(AlertPage), query=query)


def acknowledge(alert: int) -> Operation[Alert]:
    """Say that somebody knows of an alert. It is open until its cause is gone."""
    return Operation("POST", f"/api/alerts/{alert}/ack", read_as(Alert))


def workspace_health(workspace_id: str) -> Operation[WorkspaceHealth]:
    """What the prober last saw."""
    return Operation("GET", f"{workspace_path(workspace_id)}/health", read_as(WorkspaceHealth))


def workspace_usage(
    workspace_id: str,
    *,
    range: UsageRange | None = None,  # noqa: A002  # the name that the API gives it
    points: int | None = None,
) -> Operation[Usage]:
    """What a workspace used in the last `range` ("1h" when None), in at most so many `points`, oldest first."""
    query = given({"range": range, "points": points})
    return Operation("GET", f"{workspace_path(workspace_id)}/usage", read_as(Usage), query=query)


def owner_usage(key: str) -> Operation[OwnerUsage]:
    """What all workspaces of an owner used, in all."""
    return Operation("GET", f"/api/owners/{segment(key)}/usage", read_as(OwnerUsage))


def owner(key: str) -> Operation[Owner]:
    """What was chosen for an owner (`user:<id>` or `org:<id>`)."""
    return Operation("GET", f"/api/owners/{segment(key)}", read_as(Owner))


def owners(*, limit: int | None = None, before: str | None = None) -> Operation[OwnerPage]:
    """A page of the owners for whom something was chosen, or who have a workspace, by key."""
    return Operation("GET", "/api/owners", read_as(OwnerPage), query=given({"limit": limit, "before": before}))


def put_owner(
    key: str,
    *,
    plan: str | None = None,
    isolation: str | None = None,
    fallback: bool | None = None,
    overrides: Mapping[str, float | bool] | None = None,
) -> Operation[Owner]:
    """Replace all that was chosen for an owner; None goes back to the daemon's own choice. `overrides` are limits by
    their names in the API."""
    body = {"plan": plan, "isolation": isolation, "fallback": fallback, "overrides": dict(overrides or {})}
    return Operation("PUT", f"/api/owners/{segment(key)}", read_as(Owner), body=body)


def patch_owner(key: str, changes: Mapping[str, object]) -> Operation[Owner]:
    """Change some of what was chosen for an owner, by the names of the API: what is left out stays, null goes back to
    the daemon's own choice; the same holds for each limit in `overrides`."""
    return Operation("PATCH", f"/api/owners/{segment(key)}", read_as(Owner), body=dict(changes))


def plans() -> Operation[PlanPage]:
    """All plans with their limits."""
    return Operation("GET", "/api/plans", read_as(PlanPage))


def reload_plans() -> Operation[PlanPage]:
    """Have the daemon read its plans file anew. A file that cannot be used is refused, and the plans stay."""
    return Operation("POST", "/api/plans/reload", read_as(PlanPage))


def capabilities() -> Operation[CapabilityPage]:
    """What the host can enforce, with proof. The daemon may try it anew, which takes seconds."""
    return Operation("GET", "/api/capabilities", read_as(CapabilityPage), timeout_s=LOADING_S)


def volumes() -> Operation[VolumePage]:
    """What root has given the host for persistent data, and who has it."""
    return Operation("GET", "/api/volumes", read_as(VolumePage))


def delete_volume(name: str) -> Operation[None]:
    """Delete the data of a volume that no workspace holds, for ever."""
    return Operation("DELETE", f"/api/volumes/{segment(name)}", nothing, timeout_s=DELETING_S)


def host() -> Operation[Host]:
    """Figures of the host."""
    return Operation("GET", "/api/host", read_as(Host))


def health() -> Operation[Health]:
    """The health of the daemon itself."""
    return Operation("GET", "/health", read_as(Health))


def metrics() -> Operation[str]:
    """Figures in Prometheus' text format."""
    return Operation("GET", "/metrics", bytes.decode)


def admin_workspaces() -> Operation[list[Workspace]]:
    """All workspaces, as the platform's dashboard reads them."""
    return Operation("GET", "/api/admin/workspaces", TypeAdapter(list[Workspace]).validate_json)


def _act(workspace_id: str, verb: str, wait: float | None) -> Operation[Workspace]:
    return Operation(
        "POST",
        f"{workspace_path(workspace_id)}/{verb}",
        read_as(Workspace),
        query=given({"wait": wait}),
        timeout_s=ANSWER_S + (wait or 0.0),
    )
