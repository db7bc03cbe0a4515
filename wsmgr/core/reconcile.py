"""The decision of the reconciler: one frozen world in, exactly one step and one sentence out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from wsmgr.core.workspace import (
    Absent,
    Created,
    Desired,
    Exited,
    Observed,
    Phase,
    Running,
    Unknown,
    generation_of,
    made_as,
)

LOOK_AGAIN_S = 1.0
"""How soon a workspace is looked at again when it waits for something that sends no nudge."""

ROOM_AGAIN_S = 0.05
"""How soon when calls wait for a memory that others are about to give back."""


@dataclass(frozen=True, slots=True)
class RestartBudget:
    """At most `restarts` within `window_s`. The first follows at once, the n-th `backoff_s` x (2^(n-1) - 1) seconds
    after the failure before it."""

    restarts: int = 3
    window_s: float = 300.0
    backoff_s: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All that a decision may depend on, taken at one moment.

    `digest` is that of the specification wanted now. `ready` says that the running instance has answered; `condemned`
    that it must not go on, and why (it missed its start deadline, hangs, or broke the protocol). `attending` is the
    number of calls in flight or queued; `urgent` that a person asked for the stop, so that calls in flight do not
    hold it up. `failures` are the times of the recent failures, oldest first, the cause of the last in
    `last_failure`; `room` that the host's memory has been given back by those that made room; `exhausted` says that
    they used up the budget, until somebody recovers the workspace. Deadlines are not part of the world: a decision
    that waits says so in `recheck_after`. `freezable` says that what runs can be frozen, `tunable` that the kernel can
    be told its limits while it runs, `adjust` that it now has to be told. `forbidden` says why its plan lets nothing
    run on this host, and `unproven` that this is not known yet.
    """

    desired: Desired
    observed: Observed
    digest: str
    ready: bool
    attending: int
    urgent: bool = True
    condemned: str | None = None
    failures: tuple[float, ...] = ()
    last_failure: str = ""
    exhausted: bool = False
    budget: RestartBudget = RestartBudget()
    room: bool = True
    freezable: bool = False
    tunable: bool = False
    adjust: bool = False
    forbidden: str | None = None
    unproven: bool = False


@dataclass(frozen=True, slots=True)
class Create:
    """Make the container from the spec."""


@dataclass(frozen=True, slots=True)
class Start:
    """Start what is made."""

    handle: str


@dataclass(frozen=True, slots=True)
class AwaitReady:
    """Wait until the runtime answers, up to the start deadline."""

    running: Running


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop what runs, gently and then by force."""

    handle: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """Give it no CPU any more; its memory and connections stay."""

    running: Running


@dataclass(frozen=True, slots=True)
class Thaw:
    """Let what is frozen go on. Nothing else can be done to it before."""

    running: Running


@dataclass(frozen=True, slots=True)
class Adjust:
    """Tell the kernel the limits that are wanted now."""

    running: Running


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove what does not run."""

    handle: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """The world is as wanted, or nothing can be done now."""


Step = Create | Start | AwaitReady | Freeze | Thaw | Adjust | Stop | Remove | Nothing


@dataclass(frozen=True, slots=True)
class Decision:
    """A step, the phase people see, the sentence that says why, and when to look again (seconds, None: when nudged)."""

    step: Step
    phase: Phase
    reason: str
    recheck_after: float | None = None


def plan(world: World, now: float) -> Decision:
    """Decide the next step for one workspace. `now` is in seconds on the clock of `failures`."""
    match world.desired:
        case Desired.RUNNING:
            return _towards_running(world, now)
        case Desired.PAUSED:
            return _towards_paused(world)
        case Desired.STOPPED:
            return _towards_stopped(world)
        case Desired.ABSENT:
            return _towards_absent(world)
        case _:
            assert_never(world.desired)


def _towards_running(world: World, now: float) -> Decision:
    match world.observed:
        case Unknown(reason):
            # Without the engine's word any step could make a second container; a runtime that answers goes on serving.
            phase = Phase.RUNNING if world.ready else Phase.CREATING
            return Decision(Nothing(), phase, reason, recheck_after=LOOK_AGAIN_S)
        case Running() as running:
            return _with_running(world, running)
        case _:
            return _forbidden(world) or _held_back(world, now) or _one_step_up(world, world.observed)


def _with_running(world: World, running: Running) -> Decision:
    if running.paused:
        return Decision(Thaw(running), Phase.PAUSED, "It is being resumed.")
    gone = _must_go(world, running)
    if gone is not None:
        return gone
    if world.adjust:
        phase = Phase.RUNNING if world.ready else Phase.CREATING
        return Decision(Adjust(running), phase, "The kernel is told its limits.")
    if not world.ready:
        return Decision(AwaitReady(running), Phase.CREATING, "Its runtime is starting.")
    if world.forbidden is not None:
        sentence = f"It stops when its calls have ended: {world.forbidden}"
        return Decision(Nothing(), Phase.RUNNING, sentence, recheck_after=LOOK_AGAIN_S)
    if not _outdated(world, running):
        return Decision(Nothing(), Phase.RUNNING, "Running.")
    if world.attending:
        sentence = "Running; a new specification applies at the next idle moment."
        return Decision(Nothing(), Phase.RUNNING, sentence, recheck_after=LOOK_AGAIN_S)
    return Decision(Stop(running.handle), Phase.CREATING, "The specification has changed; it is being replaced.")


def _must_go(world: World, running: Running) -> Decision | None:
    """None when nothing is against this instance."""
    if world.condemned is not None:
        return Decision(Stop(running.handle), Phase.CREATING, world.condemned)
    if world.exhausted:
        return Decision(Stop(running.handle), Phase.ERROR, _gave_up(world))
    if world.forbidden is not None and not world.attending:
        return Decision(Stop(running.handle), Phase.ERROR, world.forbidden)
    if generation_of(running.digest) != generation_of(world.digest):
        return Decision(Stop(running.handle), Phase.CREATING, "A restart was asked for.")
    return None


def _outdated(world: World, running: Running) -> bool:
    """Whether only a new container is as wanted now: what the kernel can be told of is no reason to make one."""
    if world.tunable and made_as(running.digest) == made_as(world.digest):
        return False
    return running.digest != world.digest


def _one_step_up(world: World, observed: Absent | Created | Exited) -> Decision:
    match observed:
        case Absent() if not world.room:
            sentence = "It waits until others have stopped and given back their memory."
            return Decision(Nothing(), Phase.CREATING, sentence, recheck_after=ROOM_AGAIN_S)
        case Absent():
            return Decision(Create(), Phase.CREATING, _again(world) if world.failures else "It is being made.")
        case Created(handle, digest) if digest != world.digest:
            return Decision(Remove(handle), Phase.CREATING, "A container of an older specification goes.")
        case Created(handle):
            return Decision(Start(handle), Phase.CREATING, _again(world) if world.failures else "It is being started.")
        case Exited(handle):
            # A fresh container, not a restart of the old one: nothing of the failed run is left behind.
            return Decision(Remove(handle), Phase.CREATING, _again(world))
        case _:
            assert_never(observed)


def _forbidden(world: World) -> Decision | None:
    """None when its plan lets it run here."""
    if world.unproven:
        sentence = "What this host enforces is being proven; its plan starts nothing before that."
        return Decision(Nothing(), Phase.CREATING, sentence, recheck_after=LOOK_AGAIN_S / 5)
    if world.forbidden is not None:
        return Decision(Nothing(), Phase.ERROR, world.forbidden, recheck_after=5 * LOOK_AGAIN_S)
    return None


def _held_back(world: World, now: float) -> Decision | None:
    """None when a start may be tried now; else the decision to wait, or to have given up."""
    if world.exhausted:
        return Decision(Nothing(), Phase.ERROR, _gave_up(world))
    if not world.failures:
        return None
    wait = world.failures[-1] + world.budget.backoff_s * (2 ** (len(world.failures) - 1) - 1) - now
    return Decision(Nothing(), Phase.CREATING, _again(world), recheck_after=wait) if wait > 0 else None


def _gave_up(world: World) -> str:
    if not world.failures:
        # It was given up by a daemon before this one.
        return f"{world.last_failure} It is not started again until somebody recovers it."
    return (
        f"{world.last_failure} It failed {len(world.failures)} times within {world.budget.window_s:.0f} s and is not "
        "started again until somebody recovers it."
    )


def _again(world: World) -> str:
    return f"{world.last_failure} It is started again.".lstrip()


def _towards_paused(world: World) -> Decision:
    match world.observed:
        case Unknown(reason):
            phase = Phase.RUNNING if world.ready else Phase.PAUSED
            return Decision(Nothing(), phase, reason, recheck_after=LOOK_AGAIN_S)
        case Running() as running if running.paused:
            if world.condemned is not None or _outdated(world, running):
                return Decision(
                    Thaw(running), Phase.PAUSED, "It is woken to be stopped: its specification has changed."
                )
            return Decision(Nothing(), Phase.PAUSED, "Paused: it keeps its memory; the next call resumes it.")
        case Running(handle) if world.condemned is not None:
            return Decision(Stop(handle), Phase.RUNNING, world.condemned)
        case Running() if world.attending:
            sentence = "It is paused when its calls have ended."
            return Decision(Nothing(), Phase.RUNNING, sentence, recheck_after=LOOK_AGAIN_S)
        case Running(handle) as running if _outdated(world, running):
            return Decision(Stop(handle), Phase.RUNNING, "The specification has changed; the next call makes it anew.")
        case Running() if not world.freezable:
            return Decision(Nothing(), Phase.RUNNING, "This host cannot pause it.")
        case Running() as running:
            return Decision(Freeze(running), Phase.RUNNING, "It is being paused.")
        case _:
            return _towards_stopped(world)


def _towards_stopped(world: World) -> Decision:
    match world.observed:
        case Absent():
            return Decision(Nothing(), Phase.STOPPED, "Stopped; the next call starts it.")
        case Created(handle) | Exited(handle):
            return Decision(Remove(handle), Phase.STOPPED, "Stopped; its container is being removed.")
        case Running() as running if running.paused:
            return Decision(Thaw(running), Phase.PAUSED, "It is woken to be stopped.")
        case Running() if world.attending and not world.urgent:
            return Decision(Nothing(), Phase.RUNNING, "It stops when its calls have ended.", recheck_after=LOOK_AGAIN_S)
        case Running(handle):
            return Decision(Stop(handle), Phase.RUNNING, "It is being stopped.")
        case Unknown(reason):
            phase = Phase.RUNNING if world.ready else Phase.STOPPED
            return Decision(Nothing(), phase, reason, recheck_after=LOOK_AGAIN_S)
        case _:
            assert_never(world.observed)


def _towards_absent(world: World) -> Decision:
    if isinstance(world.observed, Absent):
        return Decision(Nothing(), Phase.STOPPED, "Removed.")
    return _towards_stopped(world)


def restarts_left(failures: tuple[float, ...], now: float, budget: RestartBudget, *, exhausted: bool) -> int:
    """How many more failures are borne before it is given up."""
    return 0 if exhausted else max(0, budget.restarts - sum(now - at < budget.window_s for at in failures))


def remember_failure(failures: tuple[float, ...], now: float, budget: RestartBudget) -> tuple[tuple[float, ...], bool]:
    """The failures that count after one more at `now`, and whether they are more than the budget allows."""
    recent = (*(at for at in failures if now - at < budget.window_s), now)
    return recent, len(recent) > budget.restarts


def cause_of(exited: Exited) -> str:
    """One sentence for an end that nobody asked for."""
    if exited.oom_killed:
        return "It ran out of memory and was killed."
    if exited.exit_code > 128:
        return f"It was ended by signal {exited.exit_code - 128}."
    return f"It exited by itself with code {exited.exit_code}."
