"""Compares what the engines have with what is known: adopts, notices what changed, removes orphans."""

from __future__ import annotations

from dataclasses import replace

import structlog

from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.engines import Engines
from wsmgr.control.fleet import Fleet
from wsmgr.control.reconciler import Reconciler
from wsmgr.core.errors import EngineUnavailable, WsmgrError
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import Absent, Desired, Found, Observed, Running
from wsmgr.ports.engine import Engine

log = structlog.get_logger(__name__)


class Adoption:
    """One list per engine, whatever the number of workspaces."""

    def __init__(self, fleet: Fleet, engines: Engines, reconciler: Reconciler, audit: Audit) -> None:
        self._fleet = fleet
        self._engines = engines
        self._reconciler = reconciler
        self._audit = audit
        self._seen: set[Isolation] = set()

    async def sweep(self) -> int:
        """Look at every engine that answers and nudge what differs. Returns how many running ones were found new."""
        adopted = 0
        for engine in self._engines:
            if self._engines.away(engine.isolation) is not None:
                continue
            try:
                adopted += await self._sweep(engine)
            except EngineUnavailable as error:
                await self._engines.report(engine.isolation, error)
            except WsmgrError as error:
                # The other engines are looked at all the same, and this one again soon.
                log.warning("engine not looked at", isolation=engine.isolation.value, why=error.sentence)
        return adopted

    async def start_wanted(self) -> None:
        """Nudge every workspace that is wanted running, or wanted gone."""
        for entry in self._fleet:
            if entry.isolation not in self._seen:
                # Its engine has not said yet what there is: nothing must be made over what may be running.
                entry.unit.belief = None
            if entry.record.desired is not Desired.STOPPED:
                self._reconciler.nudge_all(entry)

    async def _sweep(self, engine: Engine) -> int:
        adopted = 0
        found = {one.workspace: one for one in await engine.list()}
        self._seen.add(engine.isolation)
        for one in found.values():
            entry = self._fleet.find(one.workspace)
            if entry is None:
                await self._remove_orphan(engine, one)
                continue
            unit = entry.unit_on(engine.isolation)
            if _waking(unit.observed) != _waking(one.observed):
                adopted += isinstance(one.observed, Running) and isinstance(unit.observed, Absent)
                self._reconciler.nudge(entry, unit, look=True)
        for entry in self._fleet:
            known = entry.units.get(engine.isolation)
            if known is not None and entry.record.id not in found and not isinstance(known.observed, Absent):
                self._reconciler.nudge(entry, known, look=True)
        return adopted

    async def _remove_orphan(self, engine: Engine, one: Found) -> None:
        """A container with our label whose workspace is in no record: of a removal that a crash cut short."""
        try:
            await engine.remove(one.observed.handle)
        except WsmgrError as error:
            log.warning("orphan not removed", workspace=one.workspace, why=error.sentence)
            return
        await self._audit.say(DAEMON, "workspace.orphan_removed", "Its workspace is in no record.", one.workspace)


def _waking(observed: Observed | None) -> Observed | None:
    """Without whether it is frozen, which an engine does not always know."""
    return replace(observed, paused=False) if isinstance(observed, Running) else observed
