"""Lets calls and workspaces in, and counts those that are in. Check and count are one step, without an await."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from wsmgr.control.arrivals import Arrivals
from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.control.terms import Terms
from wsmgr.core.admission import OneCall, OneQueued, OneWorkspace, Usage, admit
from wsmgr.core.errors import QuotaExceeded
from wsmgr.core.ids import OwnerKey, WorkspaceId, owner_of
from wsmgr.core.limits import Limits
from wsmgr.core.rate import refilled, spent
from wsmgr.ports.clock import Clock


class Admission:
    """Costs a call the same however many workspaces there are."""

    def __init__(self, fleet: Fleet, terms: Terms, clock: Clock) -> None:
        self._fleet = fleet
        self._terms = terms
        self._clock = clock
        self._arrivals = Arrivals[WorkspaceId]()

    @contextmanager
    def call(self, entry: Entry, *, size: int, inline: bool, paid: bool = False) -> Iterator[None]:
        """Count a call of `size` bytes until it ends. Raises QuotaExceeded, TooLarge; then it costs no token. `paid`:
        it was counted when it was queued."""
        account = self._fleet.account(entry.record.owner)
        bucket = refilled(account.bucket, entry.limits, self._clock.monotonic())
        running = entry.turns.running
        usage = Usage(tokens=bucket.tokens, running=running, waiting=entry.calls - running)
        if paid:
            admit(entry.limits, OneCall(size, inline), usage._replace(tokens=1.0))
        else:
            admit(entry.limits, OneCall(size, inline), usage)
            account.bucket = spent(bucket) if entry.limits.rate_per_s else None
        entry.calls += 1
        try:
            yield
        finally:
            entry.calls -= 1

    def queued(self, owner: OwnerKey, limits: Limits, *, size: int, inline: bool, queued: int) -> None:
        """Count a call that is to be queued behind `queued` others of the owner. Raises as `call`."""
        account = self._fleet.account(owner)
        bucket = refilled(account.bucket, limits, self._clock.monotonic())
        admit(limits, OneQueued(size, inline), Usage(tokens=bucket.tokens, queued=queued))
        account.bucket = spent(bucket) if limits.rate_per_s else None

    @asynccontextmanager
    async def newcomer(self, workspace: WorkspaceId) -> AsyncIterator[None]:
        """Room for a workspace that there is none of yet, until the call that needs it has ended: none is made for a
        call that could not run in it. Raises QuotaExceeded."""
        owner = owner_of(workspace)
        limits = await self._terms.limits(owner)
        coming = self._arrivals.of(owner)
        if workspace not in coming:
            account = self._fleet.account(owner)
            # Those that are wanted in memory by now are in what the account holds.
            more = sum(not account.holds(one) for one in coming)
            now = self._clock.monotonic()
            leaving = account.gives_way(workspace, now)
            try:
                admit(limits, OneWorkspace(), account.holding(now).besides(limits, more))
            except QuotaExceeded:
                if not leaving:
                    raise
                # It is let in when one that has the other runtime can be stopped for it; who that is `Wishes` decides.
                admit(limits, OneWorkspace(), account.holding(now, without=leaving).besides(limits, more))
        with self._arrivals.coming(owner, workspace):
            yield
