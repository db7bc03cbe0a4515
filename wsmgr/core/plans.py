"""The plans that there are at one time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from wsmgr.core.limits import ENTERPRISE, FREE, NO_PLAN, PRO, Plan


@dataclass(frozen=True, slots=True)
class PlanBook:
    """`plans` by name, FREE always among them; `no_plan` is for owners with no plan at all. `source` says in words
    where they are from."""

    plans: Mapping[str, Plan]
    no_plan: Plan
    source: str = field(default="built in", compare=False)

    def named(self, name: str | None) -> Plan:
        """The plan of that name, in upper or lower case; an unknown name is FREE, and None is `no_plan`."""
        if name is None:
            return self.no_plan
        return self.plans.get(name.upper(), self.plans[FREE.name])


BUILT_IN = PlanBook(MappingProxyType({plan.name: plan for plan in (FREE, PRO, ENTERPRISE)}), NO_PLAN)
"""The platform's values."""
