"""Waits for a runtime's first answer."""

from __future__ import annotations

from wsmgr.control.audit import DAEMON, Audit
from wsmgr.control.unit import Unit
from wsmgr.core.workspace import Endpoint, Running
from wsmgr.ports.channel import Channel, ChannelClosed, ChannelTimeout, ProtocolViolation
from wsmgr.ports.clock import Clock

SLICE_S = 0.5
"""How long a first answer is awaited before the engine is asked whether the process still runs."""


class Readiness:
    """Asks for health in quick succession at first, since a runtime needs some 50 ms, and then less often."""

    def __init__(self, channel: Channel, clock: Clock, audit: Audit, start_deadline_s: float) -> None:
        self._channel = channel
        self._clock = clock
        self._audit = audit
        self._start_deadline_s = start_deadline_s

    async def step(self, unit: Unit, running: Running) -> Running | None:
        """Wait a little for the first answer; what runs, once it answers. None: the engine must be asked, since the
        process may have ended. An instance that misses its start deadline is condemned."""
        if unit.awaited is None or unit.awaited[0] != running.endpoint:
            unit.awaited = (running.endpoint, self._clock.monotonic())
        left = unit.awaited[1] + self._start_deadline_s - self._clock.monotonic()
        why = await self.wait(running.endpoint, min(SLICE_S, max(left, 0.05)))
        if why is None:
            unit.endpoint, unit.ready_since, unit.error = running.endpoint, self._clock.now(), None
            unit.awaited = None
            # The callers first: the event waits for the disk.
            unit.changed()
            await self._audit.say(DAEMON, "workspace.ready", "The runtime answers.", unit.workspace)
            return running
        if left <= 0:
            unit.condemned = f"It never became ready within {self._start_deadline_s:.0f} s: {why.removesuffix('.')}."
        return None

    async def wait(self, endpoint: Endpoint, deadline_s: float) -> str | None:
        """None once it answers; else one sentence that says why it did not within `deadline_s` seconds."""
        started = self._clock.monotonic()
        why = "it gave no answer"
        while (waited := self._clock.monotonic() - started) < deadline_s:
            try:
                health = await self._channel.health(endpoint, min(2.0, deadline_s - waited + 0.05))
                if health.status == "healthy":
                    return None
                why = f"it says that it is {health.status!r}"
            except (ChannelClosed, ChannelTimeout, ProtocolViolation) as error:
                why = str(error)
            await self._clock.sleep(0.002 if waited < 0.3 else 0.05)
        return why
