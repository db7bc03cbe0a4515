"""All workspaces in memory: the stored intent, the owner's limits, and the units on the engines."""

from __future__ import annotations

import asyncio
from bisect import bisect_right, insort
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from wsmgr.control.account import Account
from wsmgr.control.entry import Entry
from wsmgr.control.specs import spec_of
from wsmgr.control.terms import Terms
from wsmgr.core.admission import OneWorkspace, admit
from wsmgr.core.errors import NotFound, StoreUnavailable
from wsmgr.core.ids import OwnerKey, WorkspaceId, owner_of
from wsmgr.core.isolation import Isolation
from wsmgr.core.owner import Owner
from wsmgr.core.runtime import Runtime
from wsmgr.core.workspace import HOLDING, Desired, Spec, Workspace
from wsmgr.ports.clock import Clock
from wsmgr.ports.store import WorkspaceStore
from wsmgr.ports.volumes import Volumes


class Fleet:
    """Owns the entries."""

    def __init__(
        self, store: WorkspaceStore, clock: Clock, terms: Terms, images: Mapping[Runtime, str], volumes: Volumes
    ) -> None:
        self._store = store
        self._clock = clock
        self._terms = terms
        self._images = images
        self._volumes = volumes
        self._entries: dict[WorkspaceId, Entry] = {}
        self._accounts: dict[OwnerKey, Account] = {}
        self._order: list[WorkspaceId] = []
        self._owners: list[OwnerKey] = []
        self._settled = 0
        self._active: dict[WorkspaceId, datetime] = {}
        self._leaving: dict[WorkspaceId, asyncio.Event] = {}

    async def load(self) -> None:
        """Read all workspaces from the store."""
        for record in await self._store.workspaces():
            await self._admit(record)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, workspace: WorkspaceId) -> Entry | None:
        """The entry, None when there is no such workspace."""
        return self._entries.get(workspace)

    def get(self, workspace: WorkspaceId) -> Entry:
        """The entry. Raises NotFound."""
        entry = self._entries.get(workspace)
        if entry is None:
            raise NotFound(f"There is no workspace {workspace!r}. It is made by the first call, or by PUT.")
        return entry

    def page(self, after: str, limit: int) -> list[Entry]:
        """Up to `limit` entries by id, those behind `after`."""
        start = bisect_right(self._order, WorkspaceId(after))
        return [self._entries[workspace] for workspace in self._order[start : start + limit]]

    def of_owner(self, owner: OwnerKey) -> list[Entry]:
        """The owner's workspaces."""
        account = self._accounts.get(owner)
        return [] if account is None else list(account.entries.values())

    def account(self, owner: OwnerKey) -> Account:
        """What the owner uses; an empty one, which nobody keeps, for an owner without a workspace."""
        return self._accounts.get(owner) or Account()

    async def ensure(self, workspace: WorkspaceId) -> tuple[Entry, bool]:
        """The entry, made (STOPPED) when it is new, and whether it is: to one caller alone."""
        entry = self._entries.get(workspace)
        if entry is not None:
            return entry, False
        while (leaving := self._leaving.get(workspace)) is not None:
            await leaving.wait()
        record = await self._store.ensure_workspace(workspace, Desired.STOPPED, self._clock.now())
        return await self._admit(record)

    async def want(self, entry: Entry, desired: Desired, *, urgent: bool = True) -> bool:
        """Set and store what is wanted; True when that is a change. Raises as `intend` and `keep` do."""
        before = entry.record.desired
        if not self.intend(entry, desired, urgent=urgent):
            return False
        await self.keep(entry, before)
        return True

    def intend(self, entry: Entry, desired: Desired, *, urgent: bool = True, leaving: Collection[Entry] = ()) -> bool:
        """Set what is wanted, in memory; True when that is a change, which is then to be stored by `keep`.

        The check and the change are one step, so that no two callers get an owner's last place. `leaving` are about to
        be stopped for it, and count no more. Raises QuotaExceeded for one running workspace too many.
        """
        entry.urgent = urgent
        if entry.record.desired is desired:
            return False
        if desired is Desired.RUNNING and entry.record.desired not in HOLDING:
            usage = self.account(entry.record.owner).holding(self._clock.monotonic(), without=leaving)
            admit(entry.limits, OneWorkspace(), usage)
        entry.record = replace(entry.record, desired=desired)
        return True

    async def keep(self, entry: Entry, before: Desired) -> None:
        """Store what is wanted; when that fails it is `before` again, unless somebody has wanted otherwise meanwhile.
        Raises StoreUnavailable, NotFound."""
        wish = entry.record.desired
        try:
            await self.save(entry)
        except BaseException:
            if entry.record.desired is wish:
                entry.record = replace(entry.record, desired=before)
            raise

    async def give_up(self, entry: Entry, cause: str) -> None:
        """Keep what it failed of, so that the next daemon does not begin anew. A store that is away is passed over: the
        next daemon then tries it again."""
        entry.record = replace(entry.record, failure=cause)
        with suppress(StoreUnavailable, NotFound):
            await self.save(entry)

    def forgive(self, entry: Entry) -> bool:
        """Forget its failures, in memory; True when that has to be stored."""
        for unit in entry.units.values():
            unit.forgive()
        stored, entry.record = entry.record.failure, replace(entry.record, failure=None)
        return stored is not None

    async def renew(self, entry: Entry) -> None:
        """Ask for a restart: containers of older generations are replaced."""
        entry.urgent = True
        entry.record = replace(entry.record, generation=entry.record.generation + 1)
        await self.save(entry)

    def touch(self, entry: Entry) -> None:
        """Note activity; it is stored with the next `flush`. On the path of every call."""
        entry.active_at = self._active[entry.record.id] = self._clock.now()
        entry.active_mono, entry.unused_before_s = self._clock.monotonic(), 0.0

    async def flush(self) -> None:
        """Store the noted activity. Raises StoreUnavailable: then it is stored with the next one."""
        active, self._active = self._active, {}
        try:
            if active:
                await self._store.touch_workspaces(list(active.items()))
        except BaseException:
            self._active = active | self._active
            raise

    async def forget(self, entry: Entry) -> None:
        """Drop a workspace whose containers are gone. It is out of sight at once, so that a call that comes now makes a
        new one, and does so once the old record is gone. Raises StoreUnavailable: then it is back."""
        workspace = entry.record.id
        leaving = self._leaving[workspace] = asyncio.Event()
        self._hide(entry)
        try:
            await self._store.delete_workspace(workspace)
        except BaseException:
            self._show(entry)
            raise
        finally:
            del self._leaving[workspace]
            leaving.set()

    def owners(self, after: str, limit: int) -> Sequence[OwnerKey]:
        """Up to `limit` owners that have a workspace, by key, those behind `after`."""
        start = bisect_right(self._owners, OwnerKey(after))
        return self._owners[start : start + limit]

    def settle(self, owner: Owner) -> list[Entry]:
        """Have the owner's workspaces live by these choices; those for which that makes a difference."""
        self._settled += 1
        return [entry for entry in self.of_owner(owner.key) if self._settle(entry, owner)]

    def settle_all(self) -> list[Entry]:
        """As `settle`, after the plans have changed."""
        return [entry for entry in self if self._settle(entry, entry.owner)]

    def _settle(self, entry: Entry, owner: Owner) -> bool:
        before = entry.plan, entry.isolation, entry.fallback
        holding = self._terms.of(owner)
        entry.owner, entry.plan = self._terms.completed(owner), holding.plan
        entry.isolation, entry.fallback = holding.isolation, holding.fallback
        return before != (entry.plan, entry.isolation, entry.fallback)

    def spec(self, entry: Entry, isolation: Isolation) -> Spec:
        """What an engine needs to make this workspace now."""
        volume = entry.record.volume if entry.limits.data_mb else None
        data = None if volume is None else self._volumes.source(volume)
        return spec_of(entry.record, entry.limits, isolation, self._images, data)

    async def _admit(self, record: Workspace) -> tuple[Entry, bool]:
        settled = None
        while settled != self._settled:
            # Choices may be stored while these are read, and would then reach every workspace but this one.
            settled = self._settled
            owner = await self._terms.owner(owner_of(record.id))
        # Two first calls may get here at once: the first one's entry is the only one.
        entry = self._entries.get(record.id)
        new = entry is None
        if entry is None:
            holding = self._terms.of(owner)
            entry = Entry(
                record,
                owner,
                holding.plan,
                holding.isolation,
                holding.fallback,
                record.last_activity_at,
                self._clock.monotonic(),
                max(0.0, (self._clock.now() - record.last_activity_at).total_seconds()),
            )
            if record.failure is not None:
                entry.unit.exhausted, entry.unit.last_failure = True, record.failure
            self._show(entry)
        return entry, new

    def _show(self, entry: Entry) -> None:
        self._entries[entry.record.id] = entry
        insort(self._order, entry.record.id)
        account = self._accounts.get(entry.record.owner)
        if account is None:
            account = self._accounts[entry.record.owner] = Account()
            insort(self._owners, entry.record.owner)
        account.entries[entry.record.id] = entry

    def _hide(self, entry: Entry) -> None:
        del self._entries[entry.record.id]
        self._order.remove(entry.record.id)
        account = self._accounts[entry.record.owner]
        del account.entries[entry.record.id]
        if not account.entries:
            del self._accounts[entry.record.owner]
            self._owners.remove(entry.record.owner)

    async def save(self, entry: Entry) -> None:
        """Store what is wanted, with the last activity. Raises StoreUnavailable, NotFound."""
        entry.record = replace(entry.record, last_activity_at=entry.active_at)
        await self._store.put_workspace(entry.record)
