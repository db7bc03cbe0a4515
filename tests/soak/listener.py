"""Listens to all events, through every restart of the daemon, as the main server's dashboard would."""

from __future__ import annotations

import asyncio

from tests.soak.stage import Stage
from wsmgr.client import ClientError

AGAIN_S = 0.3


class Listener:
    """Gathers what it hears; from the first event on nothing may be missing."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._heard = stage.ledger.heard

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                async with self._stage.client() as client:
                    async for event in client.follow(after=self._heard[-1].id if self._heard else 0):
                        self._heard.append(event)
                        self._stage.ledger.tally["events"] += 1
            except ClientError:
                # The first connection fails while the daemon is away; where it goes on is known.
                await asyncio.sleep(AGAIN_S)
