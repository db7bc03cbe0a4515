"""Whether the host has memory for one more workspace, and who makes room for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wsmgr.core.errors import HostFull
from wsmgr.core.ids import WorkspaceId


@dataclass(frozen=True, slots=True)
class Holder:
    """A workspace that is wanted running: what its plan gives it, how long it has been idle, and whether calls are in
    flight or queued, so that it cannot go."""

    workspace: WorkspaceId
    memory_mb: int
    idle_s: float
    busy: bool


def make_room(holders: Iterable[Holder], *, needed_mb: int, budget_mb: float) -> tuple[WorkspaceId, ...]:
    """Who has to stop, longest idle first, so that `needed_mb` more fit into the budget; nobody when they do already.

    No one stops in vain: what is not needed after all stays. Raises HostFull when all that may stop does not suffice.
    """
    every = list(holders)
    held_mb = sum(holder.memory_mb for holder in every)
    over_mb = held_mb + needed_mb - budget_mb
    if over_mb <= 0:
        return ()
    idle = sorted((holder for holder in every if not holder.busy), key=lambda holder: -holder.idle_s)
    if sum(holder.memory_mb for holder in idle) < over_mb:
        raise _full(needed_mb, held_mb, budget_mb, len(every))
    going: list[Holder] = []
    for holder in idle:
        if over_mb <= 0:
            break
        going.append(holder)
        over_mb -= holder.memory_mb
    for holder in reversed(tuple(going)):
        if over_mb + holder.memory_mb <= 0:
            going.remove(holder)
            over_mb += holder.memory_mb
    return tuple(holder.workspace for holder in going)


def _full(needed_mb: int, held_mb: int, budget_mb: float, workspaces: int) -> HostFull:
    return HostFull(
        f"This host has {budget_mb:.0f} MB for workspaces; {workspaces} that run hold {held_mb} MB and are in use, and "
        f"this one needs {needed_mb} MB. Try again when some have ended, or give the host a larger memory budget.",
        details={"budgetMb": round(budget_mb), "heldMb": held_mb, "neededMb": needed_mb, "running": workspaces},
        retry_after=5.0,
    )
