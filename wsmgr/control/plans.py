"""The plans that hold now, and what they come to for an owner."""

from __future__ import annotations

from dataclasses import replace

from wsmgr.core.limit_table import overridden
from wsmgr.core.limits import Plan
from wsmgr.core.owner import Owner
from wsmgr.core.plans import BUILT_IN, PlanBook
from wsmgr.ports.plans import PlanSource


class Plans:
    """`book` is replaced as a whole, by plans that were found to be right."""

    def __init__(self, source: PlanSource) -> None:
        self._source = source
        self.book = BUILT_IN

    async def load(self) -> None:
        """Read them for the first time. Raises InvalidPlans."""
        self.book = await self._source.read()

    async def read(self) -> PlanBook:
        """The plans as they stand in their file now; those that hold stay. Raises InvalidPlans."""
        return await self._source.read()

    def of(self, owner: Owner) -> Plan:
        """The owner's plan with its overrides applied."""
        plan = self.book.named(owner.plan)
        return replace(plan, limits=overridden(plan.limits, owner.overrides)) if owner.overrides else plan
