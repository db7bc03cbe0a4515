"""One workspace in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from wsmgr.control.turns import Turns
from wsmgr.control.unit import Unit
from wsmgr.core.isolation import Isolation
from wsmgr.core.limits import Limits, Plan
from wsmgr.core.owner import Owner
from wsmgr.core.reconcile import RestartBudget
from wsmgr.core.runtime import Runtime, runtime_of
from wsmgr.core.workspace import Absent, Desired, Workspace


@dataclass(slots=True, eq=False)
class Entry:
    """One workspace.

    `standing_in`: a worker serves it while its own engine is away. `held_down`: the daemon stops, so its containers go
    whatever is wanted of it. `urgent`: a person asked for the present wish. `active_at` is newer than what is stored.
    `active_mono` is the last activity on the monotonic clock, which no change of the wall clock moves, and
    `unused_before_s` what it had been unused for when this daemon took it over; activity makes that 0. `calls` are let
    in and have not ended: they wait for a start or for their turn, or run.
    """

    record: Workspace
    owner: Owner
    plan: Plan
    isolation: Isolation
    fallback: bool
    active_at: datetime
    active_mono: float
    unused_before_s: float = 0.0
    urgent: bool = True
    standing_in: bool = False
    held_down: bool = False
    units: dict[Isolation, Unit] = field(default_factory=dict)
    turns: Turns = field(default_factory=Turns)
    calls: int = 0

    @property
    def runtime(self) -> Runtime:
        """The program that runs its plugins."""
        return runtime_of(self.record.id)

    @property
    def limits(self) -> Limits:
        """The limits of its plan, with its owner's overrides."""
        return self.plan.limits

    @property
    def budget(self) -> RestartBudget:
        """How often it may fail."""
        return RestartBudget(self.plan.limits.restarts, self.plan.limits.restart_window_s)

    @property
    def unit(self) -> Unit:
        """The unit on the engine that was chosen for it."""
        return self.unit_on(self.isolation)

    @property
    def serving(self) -> Unit:
        """The unit that calls go to now."""
        return self.unit_on(Isolation.WORKER) if self.standing_in else self.unit

    @property
    def attending(self) -> int:
        """Calls in flight or queued, on any engine."""
        return sum(unit.attending for unit in self.units.values())

    def unit_on(self, isolation: Isolation) -> Unit:
        """The unit on one engine; nothing is there when it is first asked for."""
        if isolation not in self.units:
            self.units[isolation] = Unit(self.record.id, isolation, Absent())
        return self.units[isolation]

    def desired_of(self, unit: Unit) -> Desired:
        """What is wanted of one unit: the workspace's own wish on its own engine, nothing on any other."""
        if self.held_down:
            return Desired.STOPPED
        if unit.isolation is self.isolation:
            return self.record.desired
        if self.standing_in and unit.isolation is Isolation.WORKER:
            return self.record.desired
        return Desired.ABSENT

    def urgent_for(self, unit: Unit) -> bool:
        """Whether a stop may cut calls short: only one that a person asked for."""
        return self.held_down or (
            self.urgent and (unit.isolation is self.isolation or self.record.desired is not Desired.RUNNING)
        )
