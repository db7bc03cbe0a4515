"""What the contract of control groups needs of each implementation: itself, an instance, and the kernel's part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from tests.fakes.cgroup import FakeGroup
from wsmgr.core.cgroup import Ceilings, Counters
from wsmgr.core.workspace import Endpoint, Running
from wsmgr.ports.cgroup import Cgroups

HANDLE = "0123456789abcdef" * 4
MIB = 1024 * 1024
T_S = 5.0
"""Time enough for what succeeds."""
SOON_S = 0.1
"""Time for what never does."""


def instance(*, pid: int = 4242, uid: int = 210_006, ticks: int = 9001, handle: str = HANDLE) -> Running:
    """A running instance as the engine reports it."""
    endpoint = Endpoint(pid, "/run/wsmgr/api.sock", uid, f"{handle}@{ticks}")
    return Running(handle, "0.0", endpoint, datetime(2026, 1, 1, tzinfo=UTC))


class World(Protocol):
    """The kernel's part, and other people's, in what all implementations go through."""

    def hold_to(self, ceilings: Ceilings) -> None:
        """The engine set these limits."""
        ...

    def vanish(self) -> None:
        """The group's last process ended and somebody removed the group."""
        ...


class Trouble(World, Protocol):
    """What only a world that is made up can be told to do."""

    def count(self, counters: Counters) -> None:
        """The kernel counted this."""
        ...

    def refuse(self, limit: str) -> None:
        """The kernel does not take this field of Ceilings."""
        ...

    def stick(self) -> None:
        """From now on the group never stands still."""
        ...

    def withdraw(self) -> None:
        """The host gives no group."""
        ...


@dataclass(frozen=True)
class Rig:
    """One implementation and an instance whose group it can find."""

    cgroups: Cgroups
    running: Running
    world: World


@dataclass(frozen=True)
class TroubledRig:
    """As above, with a world that obeys."""

    cgroups: Cgroups
    running: Running
    world: Trouble


@dataclass(frozen=True)
class FakeWorld:
    """Over the fake's own records."""

    group: FakeGroup

    def hold_to(self, ceilings: Ceilings) -> None:
        """As the fake's tests do."""
        self.group.ceilings = ceilings

    def count(self, counters: Counters) -> None:
        """As above."""
        self.group.counters = counters

    def refuse(self, limit: str) -> None:
        """As above."""
        self.group.refuses.add(limit)

    def stick(self) -> None:
        """As above."""
        self.group.stuck = True

    def vanish(self) -> None:
        """As above."""
        self.group.gone = True

    def withdraw(self) -> None:
        """For `find` it is the same."""
        self.group.gone = True


def other_incarnation(running: Running) -> Running:
    """The same container and pid, of a process that started at another time."""
    return replace(running, endpoint=replace(running.endpoint, instance=f"{running.handle}@1"))
