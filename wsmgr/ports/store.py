"""What is kept. A method that returns has made its write durable, unless its docstring says otherwise.

Every method raises StoreUnavailable when the database does not take the write or give the answer in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from wsmgr.core.alert import Alert, Notice, Trouble
from wsmgr.core.event import Event
from wsmgr.core.execution import Execution
from wsmgr.core.ids import ExecutionId, OwnerKey, Slug, Version, WorkspaceId
from wsmgr.core.owner import Owner
from wsmgr.core.plugin import PluginSource, PluginVersion
from wsmgr.core.series import Point
from wsmgr.core.usage import Mark, OwnerTotal
from wsmgr.core.workspace import Desired, Workspace
from wsmgr.ports.queue import QueueStore
from wsmgr.ports.settings_store import SettingsStore


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token, without its secret. `role` is `admin` or `service`."""

    name: str
    role: str
    created_at: datetime


class OwnerStore(Protocol):
    """Owners."""

    async def owner(self, key: OwnerKey) -> Owner | None:
        """The stored choices of an owner, None when nothing is stored."""
        ...

    async def put_owner(self, owner: Owner) -> None:
        """Insert or replace."""
        ...

    async def owners(self, after: str, limit: int) -> Sequence[Owner]:
        """Up to `limit` of those that something was put for, by key, those behind `after`."""
        ...


class WorkspaceStore(Protocol):
    """Workspaces, and the slots (unique small integers from 0) from which their uids come."""

    async def workspaces(self) -> Sequence[Workspace]:
        """All of them, by id."""
        ...

    async def ensure_workspace(self, workspace: WorkspaceId, desired: Desired, now: datetime) -> Workspace:
        """The stored workspace, or a new one with the lowest free slot; atomic, also between processes."""
        ...

    async def put_workspace(self, workspace: Workspace) -> None:
        """Replace desired, generation, last_activity_at and failure of a stored workspace. Raises NotFound."""
        ...

    async def hold_volume(self, workspace: WorkspaceId, volume: str | None) -> None:
        """The volume that has its persistent data from now on, None: no volume. Raises Conflict for one that another
        workspace holds, NotFound."""
        ...

    async def touch_workspaces(self, activity: Sequence[tuple[WorkspaceId, datetime]]) -> None:
        """Write the last activity of several in one transaction; unknown ids are passed over."""
        ...

    async def delete_workspace(self, workspace: WorkspaceId) -> None:
        """Forget it and free its slot. Records and the owner's plugins stay. Idempotent."""
        ...


class PluginStore(Protocol):
    """Plugins belong to the owner, and are in all of the owner's workspaces."""

    async def put_version(self, owner: OwnerKey, plugin: PluginSource, now: datetime, by: str) -> PluginVersion:
        """Store a version and make it current. The same content again only makes it current."""
        ...

    async def current_source(self, owner: OwnerKey, slug: Slug) -> PluginSource | None:
        """The current version with its code."""
        ...

    async def source(self, owner: OwnerKey, slug: Slug, version: Version) -> PluginSource | None:
        """One version with its code."""
        ...

    async def current_plugins(self, owner: OwnerKey) -> Sequence[PluginVersion]:
        """The current version of every plugin of the owner, by slug."""
        ...

    async def versions(self, owner: OwnerKey, slug: Slug) -> Sequence[PluginVersion]:
        """All versions of one plugin, newest first; empty when there is no such plugin."""
        ...

    async def trim_versions(self, owner: OwnerKey, slug: Slug, keep: int) -> int:
        """Remove all but the `keep` (at least 1) versions that were put last. Returns how many."""
        ...

    async def delete_plugin(self, owner: OwnerKey, slug: Slug) -> bool:
        """Remove a plugin with its versions; False when there was none."""
        ...


class ExecutionStore(Protocol):
    """Execution records. `begin` and `end` of many calls share one commit (group commit)."""

    @property
    def dropped_notes(self) -> int:
        """How many notes were dropped since the start."""
        ...

    async def begin(self, execution: Execution) -> Execution | None:
        """Make the start of a call durable. None when it is new; else the record that has this id already."""
        ...

    async def end(self, execution: Execution) -> None:
        """Make the end durable (insert or replace)."""
        ...

    async def withdraw(self, execution: ExecutionId) -> None:
        """Undo a `begin` whose call never reached the workspace, so that the same id may be tried again."""
        ...

    def note(self, execution: Execution) -> None:
        """Write behind: durable within 250 ms, never blocks. Dropped with a log line when the backlog is over its
        bound."""
        ...

    async def execution(self, execution: ExecutionId) -> Execution | None:
        """One record, also one that is still being written behind."""
        ...

    async def executions(
        self, workspace: WorkspaceId, limit: int, before: str | None
    ) -> tuple[Sequence[Execution], str | None]:
        """A page of records, newest first, and the cursor of the next page (None: that was the last).

        Raises InvalidRequest when `before` is not a cursor that this method gave.
        """
        ...

    async def lose_running(self) -> int:
        """Mark every record that still says `running` as lost, and let go of what those were asked that were queued;
        for the start of a daemon. Returns how many."""
        ...


class EventStore(Protocol):
    """The audit trail, append only."""

    async def append(self, event: Event) -> Event:
        """Keep it and return it with its id (ids grow)."""
        ...

    async def events(
        self,
        workspace: WorkspaceId | None,
        limit: int,
        before: int | None,
        *,
        actor: str | None = None,
        action: str | None = None,
    ) -> Sequence[Event]:
        """Newest first; of one workspace, or of all when None; with ids below `before`; of one actor, of one action."""
        ...

    async def events_after(self, event: int, limit: int) -> Sequence[Event]:
        """Oldest first: of all workspaces, with ids above `event`."""
        ...


class AlertStore(Protocol):
    """Alerts; at most one of a cause is open."""

    async def raise_alert(self, trouble: Trouble, now: datetime) -> Alert | None:
        """A new alert; None when one with this cause is open already. Atomic, also between processes."""
        ...

    async def resolve_alert(self, cause: str, now: datetime) -> Alert | None:
        """Close the open alert of a cause; None when there is none."""
        ...

    async def acknowledge_alert(self, alert: int, by: str, now: datetime) -> Alert:
        """Note who knows of it; the first one stays. Also of a resolved one. Raises NotFound."""
        ...

    async def open_alerts(self) -> Sequence[Alert]:
        """Those that are not resolved, oldest first."""
        ...

    async def untold(self, since: datetime, limit: int) -> Sequence[Notice]:
        """What nobody was told of, oldest alerts first, of one alert first that it was raised: of alerts that are open,
        or were raised or resolved after `since`."""
        ...

    async def told(self, notice: Notice, now: datetime) -> None:
        """Note that a notice was delivered, or given up."""
        ...

    async def alerts(self, limit: int, before: int | None, *, resolved: bool) -> Sequence[Alert]:
        """Newest first, with ids below `before`; `resolved` also those."""
        ...


class UsageStore(Protocol):
    """What was used."""

    async def put_usage(
        self, points: Sequence[tuple[WorkspaceId, Point]], totals: Sequence[OwnerTotal], marks: Sequence[Mark]
    ) -> None:
        """Add points and replace totals and marks, all or nothing. A point that is there already stays, so that the
        same again changes nothing."""
        ...

    async def usage_points(self, workspace: WorkspaceId, since: int) -> Sequence[Point]:
        """Of one workspace, those that begin at `since` (seconds since the epoch) or later, oldest first."""
        ...

    async def owner_totals(self, owners: Sequence[OwnerKey]) -> Sequence[OwnerTotal]:
        """Of those owners that have any, in no order."""
        ...

    async def usage_marks(self) -> Sequence[Mark]:
        """Of all workspaces, in no order."""
        ...


class RetentionStore(Protocol):
    """Deletes what is old enough. Queued and running executions and open alerts stay, however old."""

    async def purge_executions(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` records of calls that began before then and have ended. Returns how many."""
        ...

    async def purge_events(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` older events. Returns how many."""
        ...

    async def purge_alerts(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` alerts that were resolved before then. Returns how many."""
        ...

    async def purge_usage(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` points that began before then, and all marks that were made before then. Returns how
        many points. Totals stay."""
        ...

    async def reclaim(self, pages: int) -> int:
        """Give up to `pages` free pages of the file back to the file system, where the database does not do so by
        itself. Returns how many are left."""
        ...


class TokenStore(Protocol):
    """Bearer tokens, kept as sha256 of the secret."""

    async def put_token(self, token: Token, digest: str) -> None:
        """Keep a new token. Raises Conflict when the name is taken."""
        ...

    async def tokens(self) -> Sequence[tuple[Token, str]]:
        """All tokens with their digests, by name."""
        ...

    async def delete_token(self, name: str) -> bool:
        """Revoke; False when there was none."""
        ...


class Store(
    OwnerStore,
    WorkspaceStore,
    PluginStore,
    ExecutionStore,
    QueueStore,
    EventStore,
    AlertStore,
    UsageStore,
    RetentionStore,
    TokenStore,
    Protocol,
):
    """All that is kept, in one database."""

    async def open(self) -> None:
        """Migrate under a lock and get ready. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Write what is waiting, then let go."""
        ...

    async def check(self) -> None:
        """Raises StoreUnavailable when a trivial query fails."""
        ...

    @property
    def settings(self) -> SettingsStore:
        """What plugins are given beside their code."""
        ...
