"""What owners of the tests get besides their plan."""

from __future__ import annotations

SLOW_CALL_MS = 120_000

# A quarter of an emulated processor is a sixtieth of a real one: there a plugin does not even load in its time.
FAIR = {
    "cpus": 2.0,
    "executionTimeoutMs": SLOW_CALL_MS,
    "maxExecutionTimeoutMs": SLOW_CALL_MS,
    "idleTimeoutSeconds": 0,
    "pauseAfterSeconds": 0,
}
"""Time for an emulated processor, and awake for the whole test."""
