"""The idle ladder: what becomes of a workspace that nobody uses. RUNNING, then STOPPED, then removed.

PAUSED is left out: no engine can freeze yet, and the capability `freeze` says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from wsmgr.core.workspace import Desired


class Rung(IntEnum):
    """What is to be done, in the order of the ladder: a longer idle time never gives a smaller one."""

    KEEP = 0
    STOP = 1
    REMOVE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Idleness:
    """What the verdict depends on, in seconds.

    `idle_s` is measured since the last activity that this daemon saw, or since it took the workspace over; `unused_s`
    counts the time before that too. `attending` is the number of calls in flight or queued. `exhausted`: it is in
    ERROR, and waits for a person. A timeout or a retention of 0 means never.
    """

    desired: Desired
    idle_s: float
    unused_s: float
    attending: int
    exhausted: bool
    idle_timeout_s: float
    retention_s: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do, why in a sentence, and in how many seconds the next rung comes (None: none, or at once)."""

    rung: Rung
    reason: str
    next_s: float | None = None


def verdict(world: Idleness) -> Verdict:
    """Decide for one workspace."""
    if world.attending:
        return Verdict(Rung.KEEP, "Calls are in flight or queued.")
    if world.desired is Desired.RUNNING:
        return _running(world)
    if world.desired is Desired.STOPPED:
        return _stopped(world)
    return Verdict(Rung.KEEP, "It is being removed.")


def _running(world: Idleness) -> Verdict:
    if world.exhausted:
        return Verdict(Rung.KEEP, "It failed too often and waits until somebody recovers it.")
    if world.idle_timeout_s <= 0:
        return Verdict(Rung.KEEP, "Its plan stops nothing that is idle.")
    left = world.idle_timeout_s - world.idle_s
    if left > 0:
        return Verdict(Rung.KEEP, f"Idle for {world.idle_s:.0f} s of {world.idle_timeout_s:.0f} s.", left)
    return Verdict(
        Rung.STOP, f"It was idle for {world.idle_s:.0f} s; its plan stops it after {world.idle_timeout_s:.0f} s."
    )


def _stopped(world: Idleness) -> Verdict:
    if world.retention_s <= 0:
        return Verdict(Rung.KEEP, "Stopped; it is kept for ever.")
    left = world.retention_s - world.unused_s
    if left > 0:
        return Verdict(Rung.KEEP, "Stopped; it is kept until its retention is over.", left)
    return Verdict(
        Rung.REMOVE,
        f"It was not used for {_days(world.unused_s)}; a stopped workspace is kept for {_days(world.retention_s)}. "
        "Plugins and records of its owner stay.",
    )


def _days(seconds: float) -> str:
    return f"{seconds / 86_400:.0f} days" if seconds >= 2 * 86_400 else f"{seconds:.0f} s"
