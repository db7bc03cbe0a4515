"""What owners used in all: added up in memory, kept with each minute's points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from wsmgr.core.ids import OwnerKey
from wsmgr.core.usage import OwnerTotal, Share
from wsmgr.ports.store import UsageStore

EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(slots=True)
class _Sum:
    """What came, added up in place: hundreds do in each sweep."""

    since: datetime
    cpu_s: float = 0.0
    memory_mb_s: float = 0.0
    network_in_bytes: int = 0
    network_out_bytes: int = 0
    executions: int = 0
    errors: int = 0

    def add(self, share: Share) -> None:
        self.cpu_s += share.cpu_s
        self.memory_mb_s += share.memory_mb_s
        self.network_in_bytes += share.network_in_bytes
        self.network_out_bytes += share.network_out_bytes
        self.executions += share.executions
        self.errors += share.errors

    def share(self) -> Share:
        return Share(
            cpu_s=self.cpu_s,
            memory_mb_s=self.memory_mb_s,
            network_in_bytes=self.network_in_bytes,
            network_out_bytes=self.network_out_bytes,
            executions=self.executions,
            errors=self.errors,
        )

    def total(self, owner: OwnerKey) -> OwnerTotal:
        return OwnerTotal(owner, self.since, self.share())


class Totals:
    """The only writer of totals. They are stored as whole values, not as what came to them: so a write whose
    confirmation was lost can be made again.

    What came since the last write is in `_new`, what is being written or could not be in `_pending`; `_stored` is what
    the store had before that, of owners that used something lately.
    """

    def __init__(self, store: UsageStore) -> None:
        self._store = store
        self._new: dict[OwnerKey, _Sum] = {}
        self._pending: dict[OwnerKey, OwnerTotal] = {}
        self._stored: dict[OwnerKey, OwnerTotal] = {}
        self._counted = _Sum(EPOCH)

    def add(self, owner: OwnerKey, share: Share, now: datetime) -> None:
        """Count it."""
        self._counted.add(share)
        total = self._new.get(owner)
        if total is None:
            total = self._new[owner] = _Sum(now)
        total.add(share)

    @property
    def counted(self) -> Share:
        """All of this daemon's time together."""
        return self._counted.share()

    async def of(self, owner: OwnerKey) -> OwnerTotal | None:
        """All that an owner used, up to the last sweep; None: nothing. Raises StoreUnavailable."""
        stored = self._stored.get(owner)
        if stored is None:
            found = await self._store.owner_totals([owner])
            # A write may have begun meanwhile; what it has read counts.
            stored = self._stored.get(owner) or (found[0] if found else None)
        new = self._new.get(owner)
        return _sum(stored, self._pending.get(owner), None if new is None else new.total(owner))

    async def due(self) -> list[OwnerTotal]:
        """The totals to be written now. Raises StoreUnavailable."""
        new, self._new = self._new, {}
        for owner, came in new.items():
            before = self._pending.get(owner)
            self._pending[owner] = came.total(owner) if before is None else before + came.share()
        missing = [owner for owner in self._pending if owner not in self._stored]
        if missing:
            found = {total.owner: total for total in await self._store.owner_totals(missing)}
            for owner in missing:
                self._stored[owner] = found.get(owner) or OwnerTotal(owner, self._pending[owner].since)
        return [self._stored[owner] + pending.share for owner, pending in self._pending.items()]

    def settle(self, written: Sequence[OwnerTotal]) -> None:
        """What was due is stored."""
        self._pending.clear()
        self._stored = {total.owner: total for total in written}


def _sum(*totals: OwnerTotal | None) -> OwnerTotal | None:
    """The first that is there, and what the others add to it."""
    there = [total for total in totals if total is not None]
    if not there:
        return None
    whole = there[0]
    for more in there[1:]:
        whole += more.share
    return whole
