"""Waits for a runtime's first answer."""

from __future__ import annotations

from wsmgr.core.workspace import Endpoint
from wsmgr.ports.channel import Channel, ChannelClosed, ChannelTimeout, ProtocolViolation
from wsmgr.ports.clock import Clock


class Readiness:
    """Asks for health in quick succession at first, since a runtime needs some 50 ms, and then less often."""

    def __init__(self, channel: Channel, clock: Clock) -> None:
        self._channel = channel
        self._clock = clock

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
