"""Sees to it that what runs goes on being held to its limits: delegation can be taken away half way."""

from __future__ import annotations

from wsmgr.control.capabilities import Capabilities
from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.control.reconciler import Reconciler
from wsmgr.control.unit import Kernel, Unit
from wsmgr.core.capability import Level
from wsmgr.core.workspace import Running
from wsmgr.ports.cgroup import Cgroups, GroupGone


class Holding:
    """A few small reads for each workspace that runs; the reconciler does what there is to do."""

    def __init__(self, fleet: Fleet, cgroups: Cgroups, reconciler: Reconciler, capabilities: Capabilities) -> None:
        self._fleet = fleet
        self._cgroups = cgroups
        self._reconciler = reconciler
        self._capabilities = capabilities

    async def sweep(self) -> None:
        """Look at every workspace that runs."""
        for entry in self._fleet:
            for unit in entry.units.values():
                if unit.kernel is not None and isinstance(unit.observed, Running):
                    self._look(entry, unit, unit.kernel)

    def _look(self, entry: Entry, unit: Unit, kernel: Kernel) -> None:
        """Nudge one that the kernel holds to other limits than it did; when one has no group of its own where
        groups were seen to work, look for it again and doubt the host."""
        if kernel.group is None:
            if self._capabilities.level(unit.isolation, "freeze") is Level.ENFORCED:
                # A busy host may not have shown it in time.
                kernel.sought = True
                self._reconciler.nudge(entry, unit, look=True)
                self._capabilities.doubt(unit.isolation)
            return
        try:
            held = self._cgroups.ceilings(kernel.group)
        except GroupGone:
            held = None
        if held != kernel.ceilings:
            self._reconciler.nudge(entry, unit, look=True)
        if kernel.refused is not None and self._capabilities.level(unit.isolation, "memory") is Level.ENFORCED:
            self._capabilities.doubt(unit.isolation)
