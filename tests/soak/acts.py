"""What the actors of a soak may do: plain values, drawn beforehand and performed later."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class How(StrEnum):
    """How a call of the soak's plugin is to end when nothing disturbs it. See `plugin.EXPECTED`."""

    OK = "ok"
    SLOW = "slow"
    NOISY = "noisy"
    THROW = "throw"
    EXIT = "exit"
    SPIN = "spin"
    HANG = "hang"
    MEMORY = "memory"
    BIG = "big"
    INVALID = "invalid"
    SUICIDE = "suicide"
    UNLOADABLE = "unloadable"


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace, as a call names it. `organization` owns it when it is set."""

    user: str
    organization: str | None = None
    name: str | None = None

    @property
    def owner(self) -> str:
        """The owner's key."""
        return f"user:{self.user}" if self.organization is None else f"org:{self.organization}"

    @property
    def workspace(self) -> str:
        """The workspace's id."""
        return self.owner if self.name is None else f"{self.owner}~{self.name}"


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `slug` None: inline code. `named`: with an executionId, and tried again under it until there is an
    answer. `twice`: the same id is sent twice at the same time."""

    place: Place
    how: How
    slug: str | None
    ms: int
    named: bool
    twice: bool
    pause_s: float


class Verb(StrEnum):
    """What a person does to a workspace."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"
    PAUSE = "pause"
    RESUME = "resume"
    TOUCH = "touch"
    RECOVER = "recover"
    DELETE = "delete"
    PUT_RUNNING = "put running"
    PUT_STOPPED = "put stopped"


@dataclass(frozen=True, slots=True)
class Act:
    """One verb on one workspace; `wait_s` seconds are waited for its result."""

    place: Place
    verb: Verb
    wait_s: float
    pause_s: float


class Change(StrEnum):
    """What becomes of a plugin. BROKEN: a version that does not load is offered under a slug of its own."""

    PUT = "put"
    ROLLBACK = "rollback"
    DELETE = "delete"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class PluginAct:
    """One change of a plugin. `pick` in 0…1 chooses among the older versions for a rollback."""

    slug: str
    change: Change
    pick: float
    pause_s: float


class Fault(StrEnum):
    """What breaks. Those of the daemon end its process; a soak has a part without them, to see its memory."""

    DAEMON_KILL = "kill -9 of the daemon"
    DAEMON_TERM = "SIGTERM"
    DAEMON_HURRY = "SIGTERM twice"
    DAEMON_KEEP = "SIGTERM with keep"
    RUNTIME_KILL = "SIGKILL of a runtime"
    RUNTIME_STOP = "SIGSTOP of a runtime"
    MAIN_KILL = "SIGKILL of a container's first process"
    SERVICE_KILL = "SIGKILL of podman's service"
    SERVICE_STOP = "SIGSTOP of podman's service"
    REMOVED = "podman kill and rm behind its back"


DAEMON_FAULTS = frozenset({Fault.DAEMON_KILL, Fault.DAEMON_TERM, Fault.DAEMON_HURRY, Fault.DAEMON_KEEP})


@dataclass(frozen=True, slots=True)
class Blow:
    """One fault. `lasts_s`: how long a stopped service stays stopped, a killed daemon away, a second signal out."""

    fault: Fault
    place: Place
    lasts_s: float
    pause_s: float
