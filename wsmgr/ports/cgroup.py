"""The control group of a running workspace, used directly: no call to an engine, and none of an engine's locks.

A group is found behind the main process and is given only when it is that workspace's own and the daemon may write it,
so that a host without delegation (or with cgroup v1, or an isolation without groups) simply has none. Every method
bears that the group has gone meanwhile: it then raises GroupGone.

What may wait inside the kernel is asynchronous and bounded by `timeout_s` seconds. Looking up a group, freezing and
thawing wait for a lock that the kernel holds while any process on the host is moved between groups (tens of
milliseconds while containers start); lowering memory waits until the memory is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from wsmgr.core.cgroup import Ceilings, Counters
from wsmgr.core.workspace import Running


@dataclass(frozen=True, slots=True)
class Group:
    """One workspace's control group. `path` is the adapter's own name of it; `handle` the container it belongs to."""

    path: str
    handle: str


class GroupGone(Exception):
    """The group does not exist any more: its last process has ended, or somebody removed it."""


class GroupRefused(Exception):
    """The kernel did not take what was written, or did not do it in time; the sentence says which file and why."""


class Cgroups(Protocol):
    """Raises only the exceptions above. Calls for different groups may overlap; for one group its caller makes one
    writing call (apply, freeze, thaw, reclaim) after the other."""

    async def find(self, running: Running, timeout_s: float) -> Group | None:
        """The group that holds the instance's main process; None when there is none that is its own and writable, or
        none was found in time. Raises nothing."""
        ...

    def ceilings(self, group: Group) -> Ceilings:
        """What the kernel holds it to now. Raises nothing but GroupGone."""
        ...

    def counters(self, group: Group) -> Counters:
        """What it uses now and has used so far. Raises nothing but GroupGone."""
        ...

    def kills_around(self, group: Group) -> int | None:
        """How many processes the kernel has killed for lack of memory in this group and in those beside it, also in
        those that are gone, this one too; None where that is not counted. Raises nothing."""
        ...

    def frozen(self, group: Group) -> bool:
        """Whether it was asked to stand still (a group that is still on its way counts). Raises nothing but
        GroupGone."""
        ...

    async def apply(self, group: Group, ceilings: Ceilings, timeout_s: float) -> Ceilings:
        """Write each limit that is given (None leaves one as it is) and return what is in force afterwards.

        What is raised is raised first. Lowering memory below what is used makes the kernel reclaim, and then kill
        within the group. Raises GroupRefused when a limit was not taken (the others are in force all the same), and
        when the kernel takes longer than `timeout_s`: it may then still be at it.
        """
        ...

    async def freeze(self, group: Group, timeout_s: float) -> None:
        """Let it use no CPU any more; memory and connections stay. Returns once the kernel says that it stands still.

        Raises GroupRefused, after having thawed it again, when that takes longer than `timeout_s`; cancelled, it
        thaws it as well.
        """
        ...

    async def thaw(self, group: Group, timeout_s: float) -> None:
        """Let it go on, whoever froze it. Idempotent. Raises GroupRefused when it still stands still after
        `timeout_s`: then a group above it is frozen."""
        ...

    async def reclaim(self, group: Group, timeout_s: float) -> None:
        """Ask the kernel to take back what memory it can, for up to `timeout_s`: without swap that is page cache
        alone. Best effort: raises nothing but GroupGone."""
        ...

    def close(self) -> None:
        """Drop what waits. Nothing may be called afterwards."""
        ...
