"""What holds for an owner: its own choices where it made some, the daemon's where it made none, and the plans."""

from __future__ import annotations

from dataclasses import dataclass, replace

from wsmgr.control.plans import Plans
from wsmgr.core.ids import OwnerKey
from wsmgr.core.isolation import Isolation
from wsmgr.core.limits import Limits, Plan
from wsmgr.core.owner import Owner
from wsmgr.ports.store import OwnerStore


@dataclass(frozen=True, slots=True)
class Defaults:
    """The daemon's own choices for owners that have none."""

    isolation: Isolation
    fallback: bool
    plan: str | None


@dataclass(frozen=True, slots=True)
class Holding:
    """`plan` has the owner's overrides applied."""

    plan: Plan
    isolation: Isolation
    fallback: bool


class Terms:
    """Reads owners; never writes them."""

    def __init__(self, store: OwnerStore, plans: Plans, defaults: Defaults) -> None:
        self._store = store
        self._plans = plans
        self._defaults = defaults

    async def owner(self, key: OwnerKey) -> Owner:
        """The owner's choices; the daemon's plan where none was made."""
        return self.completed(await self._store.owner(key) or Owner(key))

    def completed(self, owner: Owner) -> Owner:
        """The choices with the daemon's plan where none was made."""
        return owner if owner.plan is not None else replace(owner, plan=self._defaults.plan)

    async def limits(self, key: OwnerKey) -> Limits:
        """What holds for the owner, whether it has a workspace or not."""
        return self.of(await self.owner(key)).plan.limits

    def of(self, owner: Owner) -> Holding:
        """What these choices come to now."""
        owner = self.completed(owner)
        fallback = self._defaults.fallback if owner.fallback is None else owner.fallback
        return Holding(self._plans.of(owner), owner.isolation or self._defaults.isolation, fallback)
