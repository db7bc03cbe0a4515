"""The store in an SQL database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from wsmgr.adapters.store import (
    alerts,
    events,
    executions,
    owners,
    plugins,
    queue,
    retention,
    tokens,
    usage,
    workspaces,
)
from wsmgr.adapters.store.connect import Access, connect, create_file, parse_url
from wsmgr.adapters.store.failures import unavailable
from wsmgr.adapters.store.pending import Pending
from wsmgr.adapters.store.readers import Readers
from wsmgr.adapters.store.schema import migrate
from wsmgr.adapters.store.sql_settings import SqlSettings
from wsmgr.adapters.store.tables import OWNERS
from wsmgr.adapters.store.writer import Writer
from wsmgr.core.alert import Alert, Notice, Trouble
from wsmgr.core.errors import StoreUnavailable
from wsmgr.core.event import Event
from wsmgr.core.execution import Execution
from wsmgr.core.ids import ExecutionId, OwnerKey, Slug, Version, WorkspaceId
from wsmgr.core.owner import Owner
from wsmgr.core.plugin import PluginSource, PluginVersion
from wsmgr.core.series import Point
from wsmgr.core.usage import Mark, OwnerTotal
from wsmgr.core.workspace import Desired, Workspace
from wsmgr.ports.settings_store import SettingsStore
from wsmgr.ports.store import Store, Token


class SqlStore(Store):
    """`url`: `sqlite:////path` or `postgresql://…`; InvalidRequest when it is neither.

    `timeout_s` bounds every method but `open` (`open_timeout_s`: a migration may copy tables); `queue_length` bounds
    the writes and the reads that wait; `backlog` the notes, and `flush_after_s` how long one waits; `readers` is the
    number of reading threads; `max_bytes` caps an SQLite file. One event loop uses one store.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = 5.0,
        open_timeout_s: float = 60.0,
        queue_length: int = 4096,
        backlog: int = 20_000,
        flush_after_s: float = 0.15,
        readers: int = 2,
        max_bytes: int | None = None,
    ) -> None:
        self._url = parse_url(url)
        self._timeout_s = timeout_s
        self._open_timeout_s = open_timeout_s
        self._queue_length = queue_length
        self._reader_threads = readers
        self._max_bytes = max_bytes
        self._pending = Pending(length=queue_length, backlog=backlog, flush_after_s=flush_after_s)
        self._writer: Writer | None = None
        self._readers: Readers | None = None
        self._settings = SqlSettings(self._write, self._read)

    @property
    def settings(self) -> SettingsStore:
        return self._settings

    @property
    def dropped_notes(self) -> int:
        """How many notes were not written: the backlog was full, the store closed, or the record not storable."""
        return self._pending.dropped_notes

    async def open(self) -> None:
        if self._writer is not None:
            return
        try:
            async with asyncio.timeout(self._open_timeout_s + self._timeout_s):
                await asyncio.to_thread(self._migrate)
        except TimeoutError:
            raise StoreUnavailable(f"The database could not be opened within {self._open_timeout_s:g} s.") from None
        except (SQLAlchemyError, OSError) as error:
            raise unavailable(error) from error
        # A lock is waited for a little shorter than the caller waits, who then hears the cause.
        lock_s = 0.8 * self._timeout_s
        writing = Access("BEGIN IMMEDIATE", lock_s, self._timeout_s, max_bytes=self._max_bytes)
        reading = Access("BEGIN", lock_s, self._timeout_s, read_only=True, pool_size=self._reader_threads)
        self._pending.open()
        self._writer = Writer(connect(self._url, writing), self._pending, timeout_s=self._timeout_s)
        self._readers = Readers(
            connect(self._url, reading),
            threads=self._reader_threads,
            length=self._queue_length,
            timeout_s=self._timeout_s,
        )

    async def close(self) -> None:
        writer, readers = self._writer, self._readers
        self._writer = self._readers = None
        if readers is not None:
            readers.close()
        if writer is not None:
            await writer.stop(2 * self._timeout_s)

    async def check(self) -> None:
        # A table, not a constant: SQLite answers those without looking at its file.
        await self._reading.run(lambda connection: connection.execute(select(OWNERS.c.key).limit(1)).all())

    async def owner(self, key: OwnerKey) -> Owner | None:
        return await self._reading.run(partial(owners.find, key=key))

    async def put_owner(self, owner: Owner) -> None:
        await self._writing.do(partial(owners.put, owner=owner))

    async def owners(self, after: str, limit: int) -> Sequence[Owner]:
        return await self._reading.run(partial(owners.page, after=after, limit=limit))

    async def workspaces(self) -> Sequence[Workspace]:
        return await self._reading.run(workspaces.all_workspaces)

    async def ensure_workspace(self, workspace: WorkspaceId, desired: Desired, now: datetime) -> Workspace:
        return await self._writing.do(partial(workspaces.ensure, workspace=workspace, desired=desired, now=now))

    async def put_workspace(self, workspace: Workspace) -> None:
        await self._writing.do(partial(workspaces.replace, workspace=workspace))

    async def hold_volume(self, workspace: WorkspaceId, volume: str | None) -> None:
        await self._writing.do(partial(workspaces.hold, workspace=workspace, volume=volume))

    async def touch_workspaces(self, activity: Sequence[tuple[WorkspaceId, datetime]]) -> None:
        await self._writing.do(partial(workspaces.touch, activity=tuple(activity)))

    async def delete_workspace(self, workspace: WorkspaceId) -> None:
        await self._writing.do(partial(workspaces.forget, workspace=workspace))

    async def put_version(self, owner: OwnerKey, plugin: PluginSource, now: datetime, by: str) -> PluginVersion:
        return await self._writing.do(partial(plugins.put, owner=owner, plugin=plugin, now=now, by=by))

    async def current_source(self, owner: OwnerKey, slug: Slug) -> PluginSource | None:
        return await self._reading.run(partial(plugins.current_source, owner=owner, slug=slug))

    async def source(self, owner: OwnerKey, slug: Slug, version: Version) -> PluginSource | None:
        return await self._reading.run(partial(plugins.source, owner=owner, slug=slug, version=version))

    async def current_plugins(self, owner: OwnerKey) -> Sequence[PluginVersion]:
        return await self._reading.run(partial(plugins.current_plugins, owner=owner))

    async def versions(self, owner: OwnerKey, slug: Slug) -> Sequence[PluginVersion]:
        return await self._reading.run(partial(plugins.versions, owner=owner, slug=slug))

    async def trim_versions(self, owner: OwnerKey, slug: Slug, keep: int) -> int:
        return await self._writing.do(partial(plugins.trim, owner=owner, slug=slug, keep=keep))

    async def delete_plugin(self, owner: OwnerKey, slug: Slug) -> bool:
        return await self._writing.do(partial(plugins.remove, owner=owner, slug=slug))

    async def begin(self, execution: Execution) -> Execution | None:
        return await self._writing.begin(execution)

    async def end(self, execution: Execution) -> None:
        await self._writing.end(execution)

    async def withdraw(self, execution: ExecutionId) -> None:
        await self._writing.do(partial(executions.withdraw, execution=execution))

    def note(self, execution: Execution) -> None:
        self._pending.note(execution)

    async def execution(self, execution: ExecutionId) -> Execution | None:
        noted = self._pending.noted(execution)
        if noted is not None:
            return noted
        found = await self._reading.run(partial(executions.find_many, ids=[execution]))
        return found.get(execution)

    async def executions(
        self, workspace: WorkspaceId, limit: int, before: str | None
    ) -> tuple[Sequence[Execution], str | None]:
        cursor = None if before is None else executions.decode_cursor(before)
        if self._pending.has_notes:
            # A transaction of nothing but the notes that wait; those for which there is no space stay out of the page.
            await self._writing.do(lambda _connection: None)
        return await self._reading.run(partial(executions.page, workspace=workspace, limit=limit, before=cursor))

    async def lose_running(self) -> int:
        return await self._writing.do(executions.lose_running)

    async def enqueue(self, execution: Execution, call: bytes, callback: str | None) -> Execution | None:
        work = partial(queue.enqueue, execution=execution, call=call, callback=callback)
        return await self._writing.do(work)

    async def queued(self) -> Sequence[Execution]:
        return await self._reading.run(queue.waiting)

    async def queued_call(self, execution: ExecutionId) -> bytes | None:
        return await self._reading.run(partial(queue.call_of, execution=execution))

    async def start_queued(self, execution: Execution) -> bool:
        return await self._writing.do(partial(queue.start, execution=execution))

    async def requeue(self, execution: ExecutionId) -> None:
        await self._writing.do(partial(queue.requeue, execution=execution))

    async def finish(self, execution: Execution) -> bool:
        return await self._writing.do(partial(queue.finish, execution=execution))

    async def due_callbacks(self, limit: int) -> Sequence[tuple[ExecutionId, str]]:
        return await self._reading.run(partial(queue.due_callbacks, limit=limit))

    async def called_back(self, execution: ExecutionId) -> None:
        await self._writing.do(partial(queue.called_back, execution=execution))

    async def append(self, event: Event) -> Event:
        return await self._writing.do(partial(events.append, event=event))

    async def events(
        self,
        workspace: WorkspaceId | None,
        limit: int,
        before: int | None,
        *,
        actor: str | None = None,
        action: str | None = None,
    ) -> Sequence[Event]:
        page = partial(events.newest, workspace=workspace, limit=limit, before=before, actor=actor, action=action)
        return await self._reading.run(page)

    async def events_after(self, event: int, limit: int) -> Sequence[Event]:
        return await self._reading.run(partial(events.following, event=event, limit=limit))

    async def raise_alert(self, trouble: Trouble, now: datetime) -> Alert | None:
        return await self._writing.do(partial(alerts.open_new, trouble=trouble, now=now))

    async def resolve_alert(self, cause: str, now: datetime) -> Alert | None:
        return await self._writing.do(partial(alerts.resolve, cause=cause, now=now))

    async def acknowledge_alert(self, alert: int, by: str, now: datetime) -> Alert:
        return await self._writing.do(partial(alerts.acknowledge, alert=alert, by=by, now=now))

    async def open_alerts(self) -> Sequence[Alert]:
        return await self._reading.run(alerts.all_open)

    async def untold(self, since: datetime, limit: int) -> Sequence[Notice]:
        return await self._reading.run(partial(alerts.untold, since=since, limit=limit))

    async def told(self, notice: Notice, now: datetime) -> None:
        await self._writing.do(partial(alerts.told, notice=notice, now=now))

    async def alerts(self, limit: int, before: int | None, *, resolved: bool) -> Sequence[Alert]:
        return await self._reading.run(partial(alerts.newest, limit=limit, before=before, resolved=resolved))

    async def purge_executions(self, before: datetime, limit: int) -> int:
        return await self._writing.do(partial(retention.purge_executions, before=before, limit=limit))

    async def purge_events(self, before: datetime, limit: int) -> int:
        return await self._writing.do(partial(retention.purge_events, before=before, limit=limit))

    async def purge_alerts(self, before: datetime, limit: int) -> int:
        return await self._writing.do(partial(retention.purge_alerts, before=before, limit=limit))

    async def purge_usage(self, before: datetime, limit: int) -> int:
        return await self._writing.do(partial(usage.purge, before=before, limit=limit))

    async def put_usage(
        self, points: Sequence[tuple[WorkspaceId, Point]], totals: Sequence[OwnerTotal], marks: Sequence[Mark]
    ) -> None:
        await self._writing.do(partial(usage.put, points=points, totals=totals, marks=marks))

    async def usage_points(self, workspace: WorkspaceId, since: int) -> Sequence[Point]:
        return await self._reading.run(partial(usage.points_of, workspace=workspace, since=since))

    async def owner_totals(self, owners: Sequence[OwnerKey]) -> Sequence[OwnerTotal]:
        return await self._reading.run(partial(usage.totals_of, owners=owners))

    async def usage_marks(self) -> Sequence[Mark]:
        return await self._reading.run(usage.all_marks)

    async def reclaim(self, pages: int) -> int:
        return await self._writing.do(partial(retention.reclaim, pages=pages))

    async def put_token(self, token: Token, digest: str) -> None:
        await self._writing.do(partial(tokens.put, token=token, digest=digest))

    async def tokens(self) -> Sequence[tuple[Token, str]]:
        return await self._reading.run(tokens.all_tokens)

    async def delete_token(self, name: str) -> bool:
        return await self._writing.do(partial(tokens.remove, name=name))

    async def _write(self, work: Callable[[Connection], Any]) -> Any:
        return await self._writing.do(work)

    async def _read(self, work: Callable[[Connection], Any]) -> Any:
        return await self._reading.run(work)

    @property
    def _writing(self) -> Writer:
        if self._writer is None:
            raise StoreUnavailable("The store is not open.")
        return self._writer

    @property
    def _reading(self) -> Readers:
        if self._readers is None:
            raise StoreUnavailable("The store is not open.")
        return self._readers

    def _migrate(self) -> None:
        if self._url.get_backend_name() == "sqlite":
            create_file(Path(self._url.database or ""))
        access = Access("BEGIN IMMEDIATE", self._open_timeout_s, self._open_timeout_s, foreign_keys=False)
        engine = connect(self._url, access)
        try:
            migrate(engine, self._open_timeout_s)
        finally:
            engine.dispose()
