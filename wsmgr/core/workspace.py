"""Workspaces: what is wanted of one, what an engine reports of it, and what people are shown."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

from wsmgr.core.cgroup import Ceilings
from wsmgr.core.ids import OwnerKey, WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.limits import MIB
from wsmgr.core.runtime import Runtime

FIRST_UID = 10_000
"""The uid inside the user namespace that slot 0 gets. Slots are never shared by two workspaces."""


class Desired(StrEnum):
    """What is wanted. `PAUSED` keeps its memory and gives it no CPU. `ABSENT` removes the container; the owner's
    plugins and records stay."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"
    ABSENT = "ABSENT"


HOLDING = frozenset({Desired.RUNNING, Desired.PAUSED})
"""The wishes under which a workspace holds memory."""


class Phase(StrEnum):
    """What people are shown."""

    CREATING = "CREATING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The stored intent for one workspace.

    `generation` counts the restarts that were asked for: a container of an older generation is replaced. `failure` is
    the last cause, of one that failed too often and waits until somebody recovers it. `volume` has its persistent data;
    no two workspaces hold the same.
    """

    id: WorkspaceId
    owner: OwnerKey
    desired: Desired
    slot: int
    generation: int
    created_at: datetime
    last_activity_at: datetime
    failure: str | None = None
    volume: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """Everything an engine needs to make the workspace; equal specs make equal containers.

    `cpus` in cores, `_mb` in MiB, `log_file_bytes` caps what the engine keeps of standard output. `data` is the
    directory of the host that becomes `/data`, None: there is none. Its size is the volume's business. `unrestricted`:
    the runtime's own restrictions of plugins (no processes, few files) are off; those of the isolation hold as ever.
    """

    workspace: WorkspaceId
    isolation: Isolation
    image: str
    uid: int
    generation: int
    memory_mb: int
    cpus: float
    pids: int
    nofile: int
    scratch_mb: int
    concurrency: int
    input_bytes: int
    output_bytes: int
    log_bytes: int
    log_file_bytes: int = 1024 * 1024
    data: str | None = None
    runtime: Runtime = Runtime.NODE
    plugin_space_mb: int = 32
    unrestricted: bool = False

    @property
    def ceilings(self) -> Ceilings:
        """What the kernel has to hold it to. No swap: its memory is all it gets."""
        return Ceilings(memory_bytes=self.memory_mb * MIB, swap_bytes=0, cpus=self.cpus, pids=self.pids)

    @property
    def digest(self) -> str:
        """`<generation>.<fingerprint>.<live>`, kept as a label on the container: by it drift is seen, and told what
        kind it is. Another generation: a restart was asked for. Another fingerprint: the container has to be made
        anew. Another live part: CPU, which the kernel can be told of while it runs. It is told of memory and tasks
        too, but the runtime inside counts with the memory that it was started with, and RLIMIT_NPROC stays."""
        fixed = tuple(_LEFT_OUT.get(one.name, getattr(self, one.name)) for one in fields(self))
        return f"{self.generation}.{_hash(fixed)}.{_hash((self.cpus,))}"


_LEFT_OUT: Mapping[str, object] = {"generation": 0, "cpus": 0.0}
"""What stands in the fingerprint for members that are not of it."""


def _hash(values: tuple[object, ...]) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def generation_of(digest: str) -> str:
    """The generation in a digest, as text: a label may have been written by another version, so it is only compared."""
    return digest.partition(".")[0]


def made_as(digest: str) -> str:
    """The part of a digest that only a new container can change."""
    return digest.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a runtime is reached: a socket path as the process `pid` sees it, and who must be behind it.

    `uid` is the uid on the host that the listener must have (SO_PEERCRED). `namespace` is set where several owners
    share one runtime, and keeps their plugin names apart. `on_host`: the path is the host's, and the process has none
    for it. Two endpoints are the same runtime only when equal.
    """

    pid: int
    socket: str
    uid: int
    instance: str
    namespace: str | None = None
    on_host: bool = False


@dataclass(frozen=True, slots=True)
class Absent:
    """The engine has nothing for this workspace."""


@dataclass(frozen=True, slots=True)
class Created:
    """Made and not started (or half made by a daemon that died)."""

    handle: str
    digest: str


@dataclass(frozen=True, slots=True)
class Running:
    """The main process runs; whether the runtime in it answers is another question. `paused`: it is frozen."""

    handle: str
    digest: str
    endpoint: Endpoint
    started_at: datetime
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Exited:
    """It ran and ended. `exit_code` above 128 is 128 + signal, as shells have it. `oom_killed`: for want of memory, by
    the kernel or, where that holds nobody to a limit, by itself."""

    handle: str
    digest: str
    exit_code: int
    oom_killed: bool


@dataclass(frozen=True, slots=True)
class Unknown:
    """The engine did not say."""

    reason: str


Observed = Absent | Created | Running | Exited | Unknown


@dataclass(frozen=True, slots=True)
class Found:
    """One container in an engine's list: whose it is, and its state."""

    workspace: WorkspaceId
    observed: Created | Running | Exited
