"""A store in memory that keeps the contract of `wsmgr.ports.store` and fails when it is told to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from tests.fakes.settings_store import FakeSettings
from wsmgr.core.alert import Alert, Notice, Stage, Trouble
from wsmgr.core.errors import Conflict, InvalidRequest, NotFound, StoreUnavailable
from wsmgr.core.event import Event
from wsmgr.core.execution import Execution, ExecutionState
from wsmgr.core.ids import ExecutionId, OwnerKey, Slug, Version, WorkspaceId, owner_of
from wsmgr.core.owner import Owner
from wsmgr.core.plugin import PluginSource, PluginVersion
from wsmgr.core.series import Point
from wsmgr.core.usage import Mark, OwnerTotal
from wsmgr.core.workspace import Desired, Workspace
from wsmgr.ports.settings_store import SettingsStore
from wsmgr.ports.store import Store, Token


class FakeStore(Store):
    """`fail_next("begin", error)` makes the next call of that method raise; several queue up.

    `calls` holds the name of every method that was called, in order. Like the real one it refuses to work before
    `open` and after `close`, unless it is made with `is_open=True`.
    """

    def __init__(self, *, is_open: bool = False) -> None:
        self.calls: list[str] = []
        self._dropped = 0
        self.free_pages = 0
        self._is_open = is_open
        self._failures: dict[str, list[Exception]] = {}
        self._owners: dict[OwnerKey, Owner] = {}
        self._workspaces: dict[WorkspaceId, Workspace] = {}
        self._sources: dict[tuple[OwnerKey, Slug, Version], PluginSource] = {}
        # The versions of a plugin in the order of their last put: the last one is current.
        self._versions: dict[tuple[OwnerKey, Slug], dict[Version, PluginVersion]] = {}
        self._executions: dict[ExecutionId, Execution] = {}
        self._queue: dict[ExecutionId, bytes] = {}
        self._callbacks: dict[ExecutionId, str] = {}
        self._events: list[Event] = []
        self._last_event = self._last_alert = 0
        self._alerts: dict[int, Alert] = {}
        self._told: dict[tuple[int, Stage], datetime] = {}
        self._tokens: dict[str, tuple[Token, str]] = {}
        self._points: dict[tuple[WorkspaceId, int], Point] = {}
        self._totals: dict[OwnerKey, OwnerTotal] = {}
        self._marks: dict[WorkspaceId, Mark] = {}
        self._settings = FakeSettings(self._called, lambda owner, slug: (owner, slug) in self._versions)

    @property
    def settings(self) -> FakeSettings:
        """Its own part."""
        return self._settings

    def fail_next(self, method: str, error: Exception) -> None:
        """Let the next call of `method` raise `error` and change nothing. A failing `note` is dropped and counted."""
        if not hasattr(Store, method) and not hasattr(SettingsStore, method):
            raise ValueError(f"A store has no method {method}.")
        self._failures.setdefault(method, []).append(error)

    @property
    def dropped_notes(self) -> int:
        """Those that were made to fail."""
        return self._dropped

    @property
    def all_events(self) -> list[Event]:
        """The audit trail, oldest first."""
        return list(self._events)

    async def open(self) -> None:
        self._is_open = True
        self._called("open")

    async def close(self) -> None:
        self._called("close")
        self._is_open = False

    async def check(self) -> None:
        self._called("check")

    async def owner(self, key: OwnerKey) -> Owner | None:
        self._called("owner")
        return self._owners.get(key)

    async def put_owner(self, owner: Owner) -> None:
        self._called("put_owner")
        self._owners[owner.key] = owner

    async def owners(self, after: str, limit: int) -> Sequence[Owner]:
        self._called("owners")
        return [self._owners[key] for key in sorted(self._owners) if key > after][:limit]

    async def workspaces(self) -> Sequence[Workspace]:
        self._called("workspaces")
        return [self._workspaces[key] for key in sorted(self._workspaces)]

    async def ensure_workspace(self, workspace: WorkspaceId, desired: Desired, now: datetime) -> Workspace:
        self._called("ensure_workspace")
        if workspace not in self._workspaces:
            taken = {stored.slot for stored in self._workspaces.values()}
            self._workspaces[workspace] = Workspace(
                id=workspace,
                owner=owner_of(workspace),
                desired=desired,
                slot=min(set(range(len(taken) + 1)) - taken),
                generation=0,
                created_at=now,
                last_activity_at=now,
            )
        return self._workspaces[workspace]

    async def put_workspace(self, workspace: Workspace) -> None:
        self._called("put_workspace")
        stored = self._workspaces.get(workspace.id)
        if stored is None:
            raise NotFound(f"There is no workspace {workspace.id}.")
        self._workspaces[workspace.id] = replace(
            stored,
            desired=workspace.desired,
            generation=workspace.generation,
            last_activity_at=workspace.last_activity_at,
            failure=workspace.failure,
        )

    async def hold_volume(self, workspace: WorkspaceId, volume: str | None) -> None:
        self._called("hold_volume")
        for other in self._workspaces.values():
            if volume is not None and other.volume == volume and other.id != workspace:
                raise Conflict(f"The volume {volume} is held by the workspace {other.id}.")
        if workspace not in self._workspaces:
            raise NotFound(f"There is no workspace {workspace}.")
        self._workspaces[workspace] = replace(self._workspaces[workspace], volume=volume)

    async def touch_workspaces(self, activity: Sequence[tuple[WorkspaceId, datetime]]) -> None:
        self._called("touch_workspaces")
        for workspace, at in activity:
            if workspace in self._workspaces:
                self._workspaces[workspace] = replace(self._workspaces[workspace], last_activity_at=at)

    async def delete_workspace(self, workspace: WorkspaceId) -> None:
        self._called("delete_workspace")
        self._workspaces.pop(workspace, None)

    async def put_version(self, owner: OwnerKey, plugin: PluginSource, now: datetime, by: str) -> PluginVersion:
        self._called("put_version")
        self._sources.setdefault((owner, plugin.slug, plugin.version), plugin)
        versions = self._versions.setdefault((owner, plugin.slug), {})
        for version, stored in versions.items():
            versions[version] = replace(stored, current=False)
        versions.pop(plugin.version, None)
        size = len(plugin.code.encode())
        put = PluginVersion(owner, plugin.slug, plugin.version, plugin.language, size, now, by, current=True)
        versions[plugin.version] = put
        return put

    async def current_source(self, owner: OwnerKey, slug: Slug) -> PluginSource | None:
        self._called("current_source")
        versions = self._versions.get((owner, slug))
        return None if versions is None else self._sources[owner, slug, list(versions)[-1]]

    async def source(self, owner: OwnerKey, slug: Slug, version: Version) -> PluginSource | None:
        self._called("source")
        return self._sources.get((owner, slug, version))

    async def current_plugins(self, owner: OwnerKey) -> Sequence[PluginVersion]:
        self._called("current_plugins")
        mine = sorted(key for key in self._versions if key[0] == owner)
        return [list(self._versions[key].values())[-1] for key in mine]

    async def versions(self, owner: OwnerKey, slug: Slug) -> Sequence[PluginVersion]:
        self._called("versions")
        return list(self._versions.get((owner, slug), {}).values())[::-1]

    async def trim_versions(self, owner: OwnerKey, slug: Slug, keep: int) -> int:
        self._called("trim_versions")
        versions = self._versions.get((owner, slug), {})
        gone = list(versions)[:-keep]
        for version in gone:
            del versions[version], self._sources[owner, slug, version]
        return len(gone)

    async def delete_plugin(self, owner: OwnerKey, slug: Slug) -> bool:
        self._called("delete_plugin")
        for version in self._versions.get((owner, slug), {}):
            del self._sources[owner, slug, version]
        self._settings.forget_plugin(owner, slug)
        return self._versions.pop((owner, slug), None) is not None

    async def begin(self, execution: Execution) -> Execution | None:
        self._called("begin")
        if execution.id in self._executions:
            return self._executions[execution.id]
        self._executions[execution.id] = execution
        return None

    async def end(self, execution: Execution) -> None:
        self._called("end")
        self._executions[execution.id] = execution

    async def withdraw(self, execution: ExecutionId) -> None:
        self._called("withdraw")
        stored = self._executions.get(execution)
        if stored is not None and stored.state is ExecutionState.RUNNING:
            del self._executions[execution]

    def note(self, execution: Execution) -> None:
        try:
            self._called("note")
        except Exception:
            self._dropped += 1
        else:
            self._executions[execution.id] = execution

    async def execution(self, execution: ExecutionId) -> Execution | None:
        self._called("execution")
        return self._executions.get(execution)

    async def executions(
        self, workspace: WorkspaceId, limit: int, before: str | None
    ) -> tuple[Sequence[Execution], str | None]:
        self._called("executions")
        mine = [execution for execution in self._executions.values() if execution.workspace == workspace]
        if before is not None:
            at = _place(before)
            mine = [execution for execution in mine if (execution.created_at, execution.id) < at]
        mine.sort(key=lambda execution: (execution.created_at, execution.id), reverse=True)
        found = mine[:limit]
        return found, _cursor(found[-1]) if len(mine) > limit else None

    async def lose_running(self) -> int:
        self._called("lose_running")
        running = [e for e in self._executions.values() if e.state is ExecutionState.RUNNING]
        for execution in running:
            self._executions[execution.id] = replace(execution, state=ExecutionState.LOST)
            self._queue.pop(execution.id, None)
        return len(running)

    async def enqueue(self, execution: Execution, call: bytes, callback: str | None) -> Execution | None:
        self._called("enqueue")
        if execution.id in self._executions:
            return self._executions[execution.id]
        self._executions[execution.id] = execution
        self._queue[execution.id] = call
        if callback is not None:
            self._callbacks[execution.id] = callback
        return None

    async def queued(self) -> Sequence[Execution]:
        self._called("queued")
        found = [self._executions[one] for one in self._queue]
        return [one for one in found if one.state is ExecutionState.QUEUED]

    async def queued_call(self, execution: ExecutionId) -> bytes | None:
        self._called("queued_call")
        return self._queue.get(execution)

    async def start_queued(self, execution: Execution) -> bool:
        self._called("start_queued")
        return self._replaced(execution)

    async def requeue(self, execution: ExecutionId) -> None:
        self._called("requeue")
        stored = self._executions.get(execution)
        if stored is not None and stored.state is ExecutionState.RUNNING:
            self._executions[execution] = replace(stored, state=ExecutionState.QUEUED)

    async def finish(self, execution: Execution) -> bool:
        self._called("finish")
        if not self._replaced(execution):
            return False
        self._queue.pop(execution.id, None)
        return True

    async def due_callbacks(self, limit: int) -> Sequence[tuple[ExecutionId, str]]:
        self._called("due_callbacks")
        found = [(one, url) for one, url in self._callbacks.items() if self._executions[one].state.over]
        return sorted(found, key=lambda one: self._executions[one[0]].created_at)[:limit]

    async def called_back(self, execution: ExecutionId) -> None:
        self._called("called_back")
        self._callbacks.pop(execution, None)

    def _replaced(self, execution: Execution) -> bool:
        stored = self._executions.get(execution.id)
        if stored is None or stored.state.over:
            return False
        self._executions[execution.id] = execution
        return True

    async def append(self, event: Event) -> Event:
        self._called("append")
        self._last_event += 1
        kept = replace(event, id=self._last_event)
        self._events.append(kept)
        return kept

    async def events(
        self,
        workspace: WorkspaceId | None,
        limit: int,
        before: int | None,
        *,
        actor: str | None = None,
        action: str | None = None,
    ) -> Sequence[Event]:
        self._called("events")
        found = [
            event
            for event in reversed(self._events)
            if workspace in (None, event.workspace)
            and (before is None or event.id < before)
            and actor in (None, event.actor)
            and action in (None, event.action)
        ]
        return found[:limit]

    async def events_after(self, event: int, limit: int) -> Sequence[Event]:
        self._called("events_after")
        return [one for one in self._events if one.id > event][:limit]

    async def raise_alert(self, trouble: Trouble, now: datetime) -> Alert | None:
        self._called("raise_alert")
        if any(alert.cause == trouble.cause and alert.resolved_at is None for alert in self._alerts.values()):
            return None
        self._last_alert += 1
        alert = Alert(
            id=self._last_alert,
            cause=trouble.cause,
            severity=trouble.severity,
            sentence=trouble.sentence,
            workspace=trouble.workspace,
            raised_at=now,
        )
        self._alerts[alert.id] = alert
        return alert

    async def resolve_alert(self, cause: str, now: datetime) -> Alert | None:
        self._called("resolve_alert")
        for alert in self._alerts.values():
            if alert.cause == cause and alert.resolved_at is None:
                self._alerts[alert.id] = replace(alert, resolved_at=now)
                return self._alerts[alert.id]
        return None

    async def acknowledge_alert(self, alert: int, by: str, now: datetime) -> Alert:
        self._called("acknowledge_alert")
        stored = self._alerts.get(alert)
        if stored is None:
            raise NotFound(f"There is no alert {alert}.")
        if stored.acknowledged_at is None:
            self._alerts[alert] = replace(stored, acknowledged_at=now, acknowledged_by=by)
        return self._alerts[alert]

    async def open_alerts(self) -> Sequence[Alert]:
        self._called("open_alerts")
        return [alert for alert in self._alerts.values() if alert.resolved_at is None]

    async def untold(self, since: datetime, limit: int) -> Sequence[Notice]:
        self._called("untold")
        found = []
        for alert in list(self._alerts.values()):
            if (alert.id, Stage.RAISED) not in self._told and (alert.resolved_at is None or alert.raised_at > since):
                found.append(Notice(alert, Stage.RAISED))
            if alert.resolved_at is not None and (alert.id, Stage.RESOLVED) not in self._told:
                found += [Notice(alert, Stage.RESOLVED)] if alert.resolved_at > since else []
        return found[:limit]

    async def told(self, notice: Notice, now: datetime) -> None:
        self._called("told")
        self._told[notice.alert.id, notice.stage] = now

    async def alerts(self, limit: int, before: int | None, *, resolved: bool) -> Sequence[Alert]:
        self._called("alerts")
        found = [
            alert
            for alert in reversed(self._alerts.values())
            if (resolved or alert.resolved_at is None) and (before is None or alert.id < before)
        ]
        return found[:limit]

    async def purge_executions(self, before: datetime, limit: int) -> int:
        self._called("purge_executions")
        every = sorted(self._executions.values(), key=lambda one: one.created_at)
        old = [one.id for one in every if one.created_at < before and one.state.over]
        for gone in old[:limit]:
            del self._executions[gone]
            self._queue.pop(gone, None)
            self._callbacks.pop(gone, None)
        return len(old[:limit])

    async def purge_events(self, before: datetime, limit: int) -> int:
        self._called("purge_events")
        old = [event.id for event in sorted(self._events, key=lambda one: one.at) if event.at < before][:limit]
        self._events = [event for event in self._events if event.id not in old]
        return len(old)

    async def purge_alerts(self, before: datetime, limit: int) -> int:
        self._called("purge_alerts")
        over = [one.id for one in self._alerts.values() if one.resolved_at is not None and one.resolved_at < before]
        for gone in over[:limit]:
            del self._alerts[gone]
        return len(over[:limit])

    async def purge_usage(self, before: datetime, limit: int) -> int:
        self._called("purge_usage")
        self._marks = {key: mark for key, mark in self._marks.items() if mark.at >= before}
        old = sorted((key for key in self._points if key[1] < int(before.timestamp())), key=lambda key: key[1])
        for gone in old[:limit]:
            del self._points[gone]
        return len(old[:limit])

    async def put_usage(
        self, points: Sequence[tuple[WorkspaceId, Point]], totals: Sequence[OwnerTotal], marks: Sequence[Mark]
    ) -> None:
        self._called("put_usage")
        for workspace, point in points:
            self._points.setdefault((workspace, point.at), point)
        self._totals |= {total.owner: total for total in totals}
        self._marks |= {mark.workspace: mark for mark in marks}

    async def usage_points(self, workspace: WorkspaceId, since: int) -> Sequence[Point]:
        self._called("usage_points")
        return [self._points[key] for key in sorted(self._points) if key[0] == workspace and key[1] >= since]

    async def owner_totals(self, owners: Sequence[OwnerKey]) -> Sequence[OwnerTotal]:
        self._called("owner_totals")
        return [self._totals[owner] for owner in owners if owner in self._totals]

    async def usage_marks(self) -> Sequence[Mark]:
        self._called("usage_marks")
        return list(self._marks.values())

    async def reclaim(self, pages: int) -> int:
        self._called("reclaim")
        self.free_pages = max(0, self.free_pages - pages)
        return self.free_pages

    async def put_token(self, token: Token, digest: str) -> None:
        self._called("put_token")
        if token.name in self._tokens:
            raise Conflict(f"There is a token {token.name!r} already.")
        self._tokens[token.name] = (token, digest)

    async def tokens(self) -> Sequence[tuple[Token, str]]:
        self._called("tokens")
        return [self._tokens[name] for name in sorted(self._tokens)]

    async def delete_token(self, name: str) -> bool:
        self._called("delete_token")
        return self._tokens.pop(name, None) is not None

    def _called(self, method: str) -> None:
        self.calls.append(method)
        if self._failures.get(method):
            raise self._failures[method].pop(0)
        if not self._is_open:
            raise StoreUnavailable("The store is not open.")


def _cursor(execution: Execution) -> str:
    return f"{execution.created_at.isoformat()}|{execution.id}"


def _place(cursor: str) -> tuple[datetime, str]:
    at, _bar, identifier = cursor.partition("|")
    try:
        return datetime.fromisoformat(at).astimezone(UTC), identifier
    except ValueError:
        raise InvalidRequest("The cursor is not one that a page of executions gave.") from None
