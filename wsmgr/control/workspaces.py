"""What people and the main server do to workspaces: the verbs of the API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from wsmgr.control.audit import Audit
from wsmgr.control.engines import Engines
from wsmgr.control.entry import Entry
from wsmgr.control.fleet import Fleet
from wsmgr.control.reconciler import Reconciler
from wsmgr.control.wishes import Wishes
from wsmgr.core.errors import Conflict, Unsupported
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.workspace import HOLDING, Absent, Desired, Phase
from wsmgr.ports.clock import Clock


class Workspaces:
    """Every verb stores what is wanted, nudges, and returns; `wait_s` waits for the result."""

    def __init__(
        self, fleet: Fleet, wishes: Wishes, engines: Engines, reconciler: Reconciler, clock: Clock, audit: Audit
    ) -> None:
        self._fleet = fleet
        self._wishes = wishes
        self._engines = engines
        self._reconciler = reconciler
        self._clock = clock
        self._audit = audit

    async def put(self, workspace: WorkspaceId, desired: Desired, actor: str, wait_s: float = 0.0) -> Entry:
        """Make the workspace if it is new, and set what is wanted of it."""
        entry, new = await self._fleet.ensure(workspace)
        if new:
            await self._audit.say(actor, "workspace.created", "Made on request.", workspace)
        if desired is Desired.PAUSED:
            return await self.pause(workspace, actor, wait_s)
        return await self._want(entry, desired, actor, wait_s)

    async def start(self, workspace: WorkspaceId, actor: str, wait_s: float = 0.0) -> Entry:
        """Have it run. Raises NotFound."""
        return await self._want(self._fleet.get(workspace), Desired.RUNNING, actor, wait_s)

    async def stop(self, workspace: WorkspaceId, actor: str, wait_s: float = 0.0) -> Entry:
        """Have it stopped; the next call starts it again. Raises NotFound."""
        return await self._want(self._fleet.get(workspace), Desired.STOPPED, actor, wait_s)

    async def restart(self, workspace: WorkspaceId, actor: str, wait_s: float = 0.0) -> Entry:
        """Replace its container, running or not. Raises NotFound."""
        entry = self._fleet.get(workspace)
        before = {unit: unit.ready_since for unit in entry.units.values()}
        await self._run(entry, forgive=True)
        await self._fleet.renew(entry)
        await self._audit.say(actor, "workspace.restart", "Asked for.", workspace)
        self._reconciler.nudge_all(entry)
        await self._wait(
            entry, wait_s, lambda: _ready(entry) and entry.serving.ready_since != before.get(entry.serving)
        )
        return entry

    async def recover(self, workspace: WorkspaceId, actor: str, wait_s: float = 0.0) -> Entry:
        """Forget its failures and have it run. Raises NotFound."""
        entry = self._fleet.get(workspace)
        await self._run(entry, forgive=True)
        await self._audit.say(actor, "workspace.recover", "Asked for.", workspace)
        return await self._want(entry, Desired.RUNNING, actor, wait_s)

    async def touch(self, workspace: WorkspaceId) -> Entry:
        """Note activity. Raises NotFound."""
        entry = self._fleet.get(workspace)
        self._fleet.touch(entry)
        return entry

    async def pause(self, workspace: WorkspaceId, actor: str, wait_s: float = 0.0) -> Entry:
        """Have it keep its memory and use no CPU, once its calls have ended. Raises NotFound, Conflict when it does not
        run, Unsupported when this host cannot freeze it."""
        entry = self._fleet.get(workspace)
        if entry.record.desired is not Desired.PAUSED:
            if entry.serving.endpoint is None:
                raise Conflict("It does not run, so that there is nothing to pause.", details={"why": "not_running"})
            if not entry.serving.freezable:
                raise Unsupported(
                    "This host cannot freeze a workspace (`wsmgr doctor` says what is missing); stop it instead, the "
                    "next call starts it again.",
                    details={"capability": "freeze"},
                )
        return await self._want(entry, Desired.PAUSED, actor, wait_s)

    async def resume(self, workspace: WorkspaceId, actor: str, wait_s: float = 0.0) -> Entry:
        """Have it run, from whatever state. Raises NotFound."""
        return await self.start(workspace, actor, wait_s)

    async def delete(self, workspace: WorkspaceId, actor: str, wait_s: float = 30.0) -> bool:
        """Remove its container and forget it; plugins and records of the owner stay. Idempotent.

        True once it is gone, False when that takes longer than `wait_s` seconds (it goes on).
        """
        entry = self._fleet.find(workspace)
        if entry is None:
            return True
        await self._fleet.want(entry, Desired.ABSENT)
        await self._audit.say(actor, "workspace.delete", "Asked for.", workspace)
        self._reconciler.nudge_all(entry)
        await self._wait(entry, wait_s, lambda: self._fleet.find(workspace) is not entry)
        return self._fleet.find(workspace) is not entry

    async def logs(self, workspace: WorkspaceId, lines: int) -> Sequence[str]:
        """What the runtime itself wrote last. Raises NotFound."""
        unit = self._fleet.get(workspace).serving
        return await self._engines[unit.isolation].logs(workspace, lines)

    async def stop_all(self, deadline_s: float) -> int:
        """Stop every container at once, whatever is wanted of it; what is wanted stays stored. Returns how many are
        still there after `deadline_s` seconds."""
        entries = list(self._fleet)
        for entry in entries:
            # Also those that have nothing yet: one that waits for its turn would be made after the others have gone.
            entry.held_down = True
            entry.urgent = True
            if not _gone(entry) or entry.record.desired in HOLDING:
                self._reconciler.nudge_all(entry)
        until = self._clock.monotonic() + deadline_s
        for entry in entries:
            await self._wait(entry, until - self._clock.monotonic(), partial(_gone, entry))
        return sum(not _gone(entry) for entry in entries)

    async def _want(self, entry: Entry, desired: Desired, actor: str, wait_s: float) -> Entry:
        running = desired is Desired.RUNNING
        before = {"desired": entry.record.desired.value}
        if await (self._run(entry) if running else self._fleet.want(entry, desired)):
            action, after = f"workspace.{desired.value.lower()}", {"desired": desired.value}
            await self._audit.say(actor, action, "Asked for.", entry.record.id, before=before, after=after)
        self._reconciler.nudge_all(entry)
        if desired is Desired.RUNNING:
            await self._wait(entry, wait_s, lambda: _ready(entry) or entry.serving.phase is Phase.ERROR)
        elif desired is Desired.PAUSED:
            await self._wait(
                entry, wait_s, lambda: entry.serving.phase is Phase.PAUSED or entry.record.desired is not desired
            )
        else:
            await self._wait(entry, wait_s, lambda: _gone(entry))
        return entry

    async def _run(self, entry: Entry, *, forgive: bool = False) -> bool:
        """Want it running; True when that is a change. A start that a person asks for is activity, and forgives what is
        in ERROR; it is let in before it is forgiven, since one that is in ERROR holds no memory."""
        before = entry.record.desired
        changed = self._wishes.run(entry)
        self._fleet.touch(entry)
        forgiven = self._fleet.forgive(entry) if forgive or entry.unit.exhausted else False
        if changed or forgiven:
            await self._fleet.keep(entry, before)
        return changed

    async def _wait(self, entry: Entry, wait_s: float, done: Callable[[], bool]) -> None:
        until = self._clock.monotonic() + wait_s
        while not done() and (left := until - self._clock.monotonic()) > 0:
            # Half a second at the most, since it may be another unit of this workspace that changes.
            await entry.serving.change(min(left, 0.5))


def _ready(entry: Entry) -> bool:
    return entry.serving.endpoint is not None


def _gone(entry: Entry) -> bool:
    return all(isinstance(unit.belief, Absent) for unit in entry.units.values())
