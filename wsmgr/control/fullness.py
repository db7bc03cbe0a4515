"""Tells the operator of a workspace whose `/tmp` or `/data` is full: once, until there is room again."""

from __future__ import annotations

from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.data import Data
from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.control.reconciler import Reconciler
from wsmgr.control.sampler import Sampler
from wsmgr.control.tally import Tally
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.workspace import Running
from wsmgr.ports.clock import Clock

QUIET_S = 600.0
"""For so long a plugin that was refused space for a moment is not told of again."""


class Fullness:
    """Looks at all volumes and at what the sampler saw, every few seconds. What was full for less than that is known
    from the calls that failed of it."""

    def __init__(
        self,
        fleet: Fleet,
        data: Data,
        sampler: Sampler,
        tally: Tally,
        reconciler: Reconciler,
        clock: Clock,
        audit: Audit,
    ) -> None:
        self._fleet = fleet
        self._tally = tally
        self._data = data
        self._sampler = sampler
        self._reconciler = reconciler
        self._clock = clock
        self._audit = audit
        self._full: set[tuple[WorkspaceId, str]] = set()
        self._refused: dict[WorkspaceId, float] = {}

    async def sweep(self) -> None:
        """One look."""
        await self._data.look()
        full: set[tuple[WorkspaceId, str]] = set()
        for entry in self._fleet:
            await self._data.tighten(entry)
            # A volume may be free now that was not when its container was made.
            if isinstance(entry.unit.observed, Running) and self._data.unsettled(entry, entry.isolation):
                self._reconciler.nudge(entry, entry.unit)
            full |= {(entry.record.id, place) for place in self._full_in(entry)}
        new, self._full = full - self._full, full
        for workspace in sorted(self._tally.take_refused()):
            await self._refusal(workspace)
        for workspace, place in sorted(new):
            await self._audit.say(DAEMON, "workspace.full", _sentence(place), workspace, after={"place": place})

    async def _refusal(self, workspace: WorkspaceId) -> None:
        """A call failed for want of space; told of when that is all that was seen of it."""
        now = self._clock.monotonic()
        told = self._refused.get(workspace)
        if any(known == workspace for known, _ in self._full) or (told is not None and now - told < QUIET_S):
            return
        self._refused = {one: at for one, at in self._refused.items() if now - at < QUIET_S} | {workspace: now}
        sentence = "A plugin was refused space in /tmp or /data (ENOSPC): one of them was full."
        await self._audit.say(DAEMON, "workspace.no_space", sentence, workspace)

    def _full_in(self, entry: Entry) -> list[str]:
        volume = self._data.of(entry).volume
        data = ["/data"] if volume is not None and volume.full else []
        return (["/tmp"] if entry.record.id in self._sampler.full_scratch else []) + data  # noqa: S108 (in the container)


def _sentence(place: str) -> str:
    kept = "is kept" if place == "/data" else "goes with its container"
    return f"{place} is full: its plugins get ENOSPC there. What lies in it {kept}; no other workspace notices."
