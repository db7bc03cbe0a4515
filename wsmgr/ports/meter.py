"""What processes and the host use, as the kernel's own files say it: no engine, and none of an engine's locks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from wsmgr.core.cgroup import Counters
from wsmgr.core.workspace import Endpoint, Running
from wsmgr.ports.cgroup import Group


@dataclass(frozen=True, slots=True)
class Question:
    """About one running workspace. `tree`: its processes are to be added up too, since nothing else counts them."""

    endpoint: Endpoint
    tree: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What one workspace uses now and has used since it was started; None: this host cannot say, or it was not asked.

    Of its processes, all together: `cpu_s` in seconds of one core, with what those used that have ended and were waited
    for; `memory_bytes` that is their own (no pages of files, which workspaces share), with what lies in `/tmp`;
    `tasks` counts threads. `network_*` count bytes over all interfaces but the loopback. `scratch_bytes`: in `/tmp`;
    `scratch_full`: what is written there is refused.
    """

    cpu_s: float | None = None
    memory_bytes: int | None = None
    tasks: int | None = None
    network_in_bytes: int | None = None
    network_out_bytes: int | None = None
    scratch_bytes: int | None = None
    scratch_full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HostUse:
    """Bytes; `cpu_percent` over all cores since the look before (100: all were busy), None at the first one. The disk
    is that of the daemon's state; None: it cannot be read."""

    cpu_percent: float | None
    memory_used_bytes: int
    memory_total_bytes: int
    disk_used_bytes: int | None
    disk_total_bytes: int | None
    load_average: tuple[float, float, float]


class GroupCounters(Protocol):
    """The part of `ports.cgroup.Cgroups` that counts."""

    async def find(self, running: Running, timeout_s: float) -> Group | None:
        """The group of an instance; None when it has none of its own, or none was found in time. Raises nothing."""
        ...

    def counters(self, group: Group) -> Counters:
        """What it uses now and has used so far. Called in a thread. Raises GroupGone."""
        ...


class Meter(Protocol):
    """Its methods block for as long as files take to be read, and are called in a thread, one at a time. They raise
    nothing of their own."""

    def workspaces(self, asked: Sequence[Question]) -> Sequence[Use | None]:
        """An answer for each question; None: that workspace's main process has gone, or another has its pid now."""
        ...

    def host(self) -> HostUse:
        """The host."""
        ...
