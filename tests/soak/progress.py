"""Lines for whoever watches a soak."""

from __future__ import annotations

import asyncio
import sys
import time

from tests.soak import gauge
from tests.soak.ledger import Ledger
from tests.soak.stage import Stage

EVERY_S = 5.0
KINDS = ("succeeded", "failed as asked", "disturbed", "refused", "unanswered")


class Progress:
    """Says every few seconds how far a soak is, and each violation once, when it is first seen."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._begun = time.monotonic()
        self._said: set[str] = set()

    def say(self, text: str) -> None:
        """One line, at once."""
        sys.stdout.write(f"[{time.monotonic() - self._begun:5.0f} s] {text}\n")
        sys.stdout.flush()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            self.violations()
            self.say(await asyncio.to_thread(self._line))

    def violations(self) -> None:
        """Those that were not said yet."""
        for sentence in self._stage.ledger.wrong:
            if sentence not in self._said:
                self._said.add(sentence)
                self.say(f"VIOLATION {sentence}")

    def _line(self) -> str:
        stage = self._stage
        if not stage.daemon_is_up:
            return f"{counts(stage.ledger)}; the daemon is away"
        return f"{counts(stage.ledger)}; daemon {stage.daemon.pid}: {gauge.read(stage.daemon.pid)}"


def counts(ledger: Ledger) -> str:
    """What was done so far, in a line."""
    tally = ledger.tally
    kinds = ", ".join(f"{tally[kind]} {kind}" for kind in KINDS)
    return (
        f"{tally['calls']} calls ({kinds}; {tally['retries']} retries), {tally['verbs']} verbs, "
        f"{tally['plugin changes']} plugin changes, {tally['faults']} faults, {tally['events']} events heard, "
        f"{len(set(ledger.wrong))} violations"
    )
