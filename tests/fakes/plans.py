"""Plans that a test sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from wsmgr.core.errors import InvalidPlans
from wsmgr.core.limits import FREE, Plan
from wsmgr.core.plans import BUILT_IN, PlanBook
from wsmgr.ports.plans import PlanSource


class FakePlans(PlanSource):
    """`book` is what is read next; `fail` what is raised instead, every time."""

    def __init__(self) -> None:
        self.book = BUILT_IN
        self.fail: InvalidPlans | None = None
        self.reads = 0

    async def read(self) -> PlanBook:
        self.reads += 1
        if self.fail is not None:
            raise self.fail
        return self.book

    def set(self, name: str, **fields: float) -> None:
        """Change fields of one plan, or make one of FREE."""
        before: Mapping[str, Plan] = self.book.plans
        limits = replace(before.get(name, FREE).limits, **fields)  # type: ignore[arg-type]  # fields by name
        self.book = replace(self.book, plans=MappingProxyType({**before, name: Plan(name, limits)}))
