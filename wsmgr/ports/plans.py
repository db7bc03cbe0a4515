"""Where plans come from."""

from __future__ import annotations

from typing import Protocol

from wsmgr.core.plans import PlanBook


class PlanSource(Protocol):
    """Read at the start, and again whenever somebody asks for it."""

    async def read(self) -> PlanBook:
        """The plans as they stand there now. Raises InvalidPlans, within seconds."""
        ...
