"""The idle ladder: what becomes of a workspace that nobody uses. RUNNING, PAUSED, STOPPED, removed.

PAUSED is left out where the host cannot freeze; the capability `freeze` says whether it can.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from wsmgr.core.workspace import HOLDING, Desired


class Rung(IntEnum):
    """What is to be done, in the order of the ladder: a longer idle time never gives a smaller one."""

    KEEP = 0
    PAUSE = 1
    STOP = 2
    REMOVE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Idleness:
    """What the verdict depends on, in seconds.

    `idle_s` is measured since the last activity that this daemon saw, or since it took the workspace over; `unused_s`
    counts the time before that too. `attending` is the number of calls in flight or queued. `exhausted`: it is in
    ERROR, and waits for a person. `freezable`: it can be paused. `keeps_data`: it holds persistent data, which only
    deleting it deletes. A time of 0 means never.
    """

    desired: Desired
    idle_s: float
    unused_s: float
    attending: int
    exhausted: bool
    freezable: bool
    pause_after_s: float
    idle_timeout_s: float
    retention_s: float
    keeps_data: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do, why in a sentence, and in how many seconds the next rung comes (None: none, or at once).

    `pause_in_s` and `stop_in_s`: in how many seconds it is paused and stopped, where that is still to come.
    """

    rung: Rung
    reason: str
    next_s: float | None = None
    pause_in_s: float | None = None
    stop_in_s: float | None = None


def verdict(world: Idleness) -> Verdict:
    """Decide for one workspace."""
    if world.attending:
        return Verdict(Rung.KEEP, "Calls are in flight or queued.")
    if world.desired in HOLDING:
        return _holding(world)
    if world.desired is Desired.STOPPED:
        return _stopped(world)
    return Verdict(Rung.KEEP, "It is being removed.")


def _holding(world: Idleness) -> Verdict:
    if world.exhausted:
        return Verdict(Rung.KEEP, "It failed too often and waits until somebody recovers it.")
    timeout = world.idle_timeout_s
    stop_in = timeout - world.idle_s if timeout > 0 else None
    if stop_in is not None and stop_in <= 0:
        return Verdict(Rung.STOP, f"It was idle for {world.idle_s:.0f} s; its plan stops it after {timeout:.0f} s.")
    if world.desired is Desired.PAUSED or not world.freezable or world.pause_after_s <= 0:
        pause_in = None
    else:
        pause_in = world.pause_after_s - world.idle_s
    if pause_in is not None and pause_in <= 0:
        after = world.pause_after_s
        return Verdict(Rung.PAUSE, f"It was idle for {world.idle_s:.0f} s; its plan pauses it after {after:.0f} s.")
    next_s = min((left for left in (pause_in, stop_in) if left is not None), default=None)
    return Verdict(Rung.KEEP, _still(world), next_s, pause_in, stop_in)


def _still(world: Idleness) -> str:
    what = "Paused" if world.desired is Desired.PAUSED else "Idle"
    if world.idle_timeout_s <= 0:
        return f"{what}; its plan stops nothing that is idle."
    return f"{what} for {world.idle_s:.0f} s of {world.idle_timeout_s:.0f} s."


def _stopped(world: Idleness) -> Verdict:
    if world.retention_s <= 0:
        return Verdict(Rung.KEEP, "Stopped; it is kept for ever.")
    if world.keeps_data:
        return Verdict(Rung.KEEP, "Stopped; it has persistent data, and is kept until it is deleted.")
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
