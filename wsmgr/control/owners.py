"""What is chosen for owners, and which plans there are. Every change here reaches live workspaces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from heapq import merge
from itertools import groupby, islice

import structlog

from wsmgr.control.audit import Audit
from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.control.plans import Plans
from wsmgr.control.reconciler import Reconciler
from wsmgr.control.terms import Terms
from wsmgr.core.errors import InvalidPlans
from wsmgr.core.ids import OwnerKey, WorkspaceId
from wsmgr.core.limit_table import LimitValue, check_overrides, differences
from wsmgr.core.limits import Limits
from wsmgr.core.owner import Owner
from wsmgr.core.plans import PlanBook
from wsmgr.ports.store import OwnerStore

log = structlog.get_logger(__name__)


class Owners:
    """The only writer of owners and of the plans: changes come one after the other, so that none is lost."""

    def __init__(
        self, store: OwnerStore, fleet: Fleet, plans: Plans, terms: Terms, reconciler: Reconciler, audit: Audit
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._plans = plans
        self._terms = terms
        self._reconciler = reconciler
        self._audit = audit
        self._changing = asyncio.Lock()

    async def get(self, key: OwnerKey) -> Owner:
        """The owner's choices; the daemon's plan where none was made."""
        return await self._terms.owner(key)

    def limits(self, owner: Owner) -> Limits:
        """What these choices come to now."""
        return self._terms.of(owner).plan.limits

    async def page(self, after: str, limit: int) -> list[Owner]:
        """Up to `limit` owners by key, those behind `after`: for whom something was chosen, or who have a workspace."""
        stored = {owner.key: owner for owner in await self._store.owners(after, limit)}
        keys = (key for key, _ in groupby(merge(stored, self._fleet.owners(after, limit))))
        return [self._terms.completed(stored.get(key, Owner(key))) for key in islice(keys, limit)]

    async def put(self, owner: Owner, actor: str) -> Owner:
        """Replace all choices of an owner. Raises InvalidRequest for limits that cannot be."""
        return await self.change(owner.key, lambda _: owner, actor)

    async def change(self, key: OwnerKey, edit: Callable[[Owner], Owner], actor: str) -> Owner:
        """Store what `edit` makes of the present choices, and apply it. Raises InvalidRequest."""
        async with self._changing:
            before = await self._store.owner(key) or Owner(key)
            after = edit(before)
            # What is stored already may be of another version of wsmgr, and is in nobody's way.
            check_overrides({n: value for n, value in after.overrides.items() if before.overrides.get(n) != value})
            await self._store.put_owner(after)
            self._apply(self._fleet.settle(after))
        old, new = _choices(self._terms.completed(before)), _choices(self._terms.completed(after))
        if old != new:
            changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
            reason = ", ".join(f"{name} {_said(new.get(name))}" for name in changed)
            await self._audit.say(actor, "owner.put", reason, WorkspaceId(key), before=old, after=new)
        return self._terms.completed(after)

    async def reload(self, actor: str) -> PlanBook:
        """Read the plans anew, and apply them to those whose limits they change. Raises InvalidPlans: then the plans
        stay as they are, and the log and the audit trail say why."""
        async with self._changing:
            before = self._plans.book
            try:
                after = await self._plans.read()
            except InvalidPlans as error:
                log.error("plans refused, the old ones stay", why=error.sentence)
                await self._audit.say(actor, "plans.refused", f"{error.sentence} The plans stay as they are.")
                raise
            self._plans.book = after
            touched = self._fleet.settle_all()
            self._apply(touched)
        old, new = _changes(before, after)
        reason = f"From {after.source}. Limits changed: {len(new)}; workspaces concerned: {len(touched)}."
        await self._audit.say(actor, "plans.reloaded", reason, before=old, after=new)
        return after

    def _apply(self, entries: Iterable[Entry]) -> None:
        """Have the workspaces looked at whose choices or limits have changed."""
        for entry in entries:
            if entry.standing_in and not entry.fallback:
                entry.standing_in = False
            self._reconciler.nudge_all(entry)


def _choices(owner: Owner) -> dict[str, str | LimitValue | None]:
    isolation = None if owner.isolation is None else owner.isolation.value
    return {"plan": owner.plan, "isolation": isolation, "fallback": owner.fallback, **owner.overrides}


def _said(value: object) -> str:
    return "back to the default" if value is None else str(value)


def _changes(before: PlanBook, after: PlanBook) -> tuple[dict[str, LimitValue | None], dict[str, LimitValue | None]]:
    """What a reload has changed, as `PLAN.limit`; for a plan that came or went, that it did."""
    old: dict[str, LimitValue | None] = {}
    new: dict[str, LimitValue | None] = {}
    for name in sorted({*before.plans, *after.plans}):
        if name not in before.plans or name not in after.plans:
            old[name], new[name] = name in before.plans, name in after.plans
            continue
        for limit, (was, is_now) in differences(before.plans[name].limits, after.plans[name].limits).items():
            old[f"{name}.{limit}"], new[f"{name}.{limit}"] = was, is_now
    for limit, (was, is_now) in differences(before.no_plan.limits, after.no_plan.limits).items():
        old[f"noPlan.{limit}"], new[f"noPlan.{limit}"] = was, is_now
    return old, new
