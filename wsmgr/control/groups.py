"""The control groups of units: frozen and thawed, and held to the limits that are wanted, past the engine."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog

from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.unit import Kernel, Kills, Unit
from wsmgr.core.cgroup import Ceilings
from wsmgr.core.errors import EngineFailure
from wsmgr.core.event import Facts
from wsmgr.core.workspace import Exited, Observed, Running
from wsmgr.ports.cgroup import Cgroups, Group, GroupGone, GroupRefused

log = structlog.get_logger(__name__)

FREEZE_S = 2.0
"""How long a freeze may take: the kernel waits for system calls that cannot be interrupted."""
RECLAIM_S = 1.0
KILLED = 128 + 9
"""The exit code of what ended by SIGKILL."""
FIND_S = 2.0
APPLY_S = 5.0
"""Memory that is lowered below what is used is reclaimed first."""


class Groups:
    """Only the reconciler's worker of a unit calls these for it."""

    def __init__(self, cgroups: Cgroups, audit: Audit) -> None:
        self._cgroups = cgroups
        self._audit = audit
        self._reclaiming: set[asyncio.Task[None]] = set()
        self._explained = 0

    async def look(self, unit: Unit, observed: Observed) -> Observed:
        """What was observed, and whether it is frozen: an engine does not know when that was done past it."""
        if not isinstance(observed, Running):
            unit.kernel = None
            return self._with_cause(unit, observed)
        if unit.kernel is None or unit.kernel.endpoint != observed.endpoint or unit.kernel.sought:
            unit.kernel = Kernel(observed.endpoint, await self._cgroups.find(observed, FIND_S))
        group = unit.kernel.group
        if group is None:
            return observed
        try:
            unit.kernel.ceilings = self._cgroups.ceilings(group)
            self._count_kills(unit, group)
            return replace(observed, paused=observed.paused or self._cgroups.frozen(group))
        except GroupGone:
            # Its last process has ended; the engine is going to say so.
            unit.kernel = None
            return observed

    def _count_kills(self, unit: Unit, group: Group) -> None:
        """Remember what the kernel has counted so far: more of it after its end means that it was killed."""
        counted = self._cgroups.kills_around(group)
        unit.kills = None if counted is None else Kills(group, counted - self._explained)

    def _with_cause(self, unit: Unit, observed: Observed) -> Observed:
        """With `oom_killed` where it ended by SIGKILL and the kernel has killed around it, and nobody else is known
        to be the reason. Its group is gone with its own counts, and podman 4.3 misses OOM kills in crun's groups."""
        kills = unit.kills
        if not isinstance(observed, Exited) or kills is None or observed.handle != kills.group.handle:
            return observed
        if kills.fatal is None:
            counted = self._cgroups.kills_around(kills.group)
            more = (
                0 if counted is None or observed.exit_code != KILLED else counted - self._explained - kills.unexplained
            )
            self._explained += max(0, more)
            kills.fatal = more > 0
        return replace(observed, oom_killed=observed.oom_killed or kills.fatal)

    def tunable(self, unit: Unit, wanted: Ceilings) -> bool:
        """Whether the kernel can be told these limits, or holds it to them already."""
        kernel = unit.kernel
        return kernel is not None and kernel.group is not None and kernel.refused != wanted

    def adjust(self, unit: Unit, wanted: Ceilings) -> bool:
        """Whether the kernel has to be told."""
        held = unit.kernel.ceilings if unit.kernel is not None else None
        return held is not None and not held.meets(wanted) and self.tunable(unit, wanted)

    async def apply(self, unit: Unit, wanted: Ceilings) -> None:
        """Tell the kernel; whatever it does not take is not tried again on this instance."""
        kernel, group = self._group(unit)
        before = kernel.ceilings
        try:
            kernel.ceilings = await self._cgroups.apply(group, wanted, APPLY_S)
        except GroupGone:
            return
        except GroupRefused as error:
            kernel.refused = wanted
            await self._audit.say(DAEMON, "workspace.limits_refused", str(error), unit.workspace)
            return
        if not kernel.ceilings.meets(wanted):
            kernel.refused = wanted
            sentence = "The kernel does not hold it to all of its limits."
            await self._audit.say(
                DAEMON, "workspace.limits_refused", sentence, unit.workspace, after=_facts(kernel.ceilings)
            )
            return
        await self._audit.say(
            DAEMON,
            "workspace.limits_applied",
            "Its limits were changed while it runs.",
            unit.workspace,
            before=_facts(before),
            after=_facts(kernel.ceilings),
        )

    async def freeze(self, unit: Unit) -> bool:
        """Freeze it; False when the kernel could not, and then it runs on."""
        kernel, group = self._group(unit)
        try:
            await self._cgroups.freeze(group, FREEZE_S)
        except GroupGone:
            return False
        except GroupRefused as error:
            kernel.unfreezable = True
            await self._audit.say(DAEMON, "workspace.pause_failed", str(error), unit.workspace)
            return False
        if kernel.ceilings is not None and kernel.ceilings.swap_bytes != 0:
            task = asyncio.create_task(self._reclaim(group), name=f"reclaim {unit.workspace}")
            self._reclaiming.add(task)
            task.add_done_callback(self._reclaiming.discard)
        return True

    async def thaw(self, unit: Unit) -> None:
        """Let it go on. Raises EngineFailure."""
        _, group = self._group(unit)
        try:
            await self._cgroups.thaw(group, FREEZE_S)
        except GroupGone:
            return
        except GroupRefused as error:
            raise EngineFailure(f"It cannot be resumed: {error}") from error

    def close(self) -> None:
        """Let go of threads."""
        self._cgroups.close()

    async def _reclaim(self, group: Group) -> None:
        try:
            await self._cgroups.reclaim(group, RECLAIM_S)
        except GroupGone:
            log.debug("nothing to reclaim", group=group.path)

    def _group(self, unit: Unit) -> tuple[Kernel, Group]:
        if unit.kernel is None or unit.kernel.group is None:
            raise EngineFailure("Its control group is gone.")
        return unit.kernel, unit.kernel.group


def _facts(ceilings: Ceilings | None) -> Facts:
    if ceilings is None:
        return {}
    cpus = None if ceilings.cpus is None else f"{ceilings.cpus:g}"
    return {"memoryBytes": ceilings.memory_bytes, "cpus": cpus, "pids": ceilings.pids}
