"""How an execution ended. User code that fails is an outcome, never an error of the call."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FailureType(StrEnum):
    """Why an execution has no output; the `type` of its error.

    The first nine come from the runtime inside the workspace. `LOAD_ERROR` means that the version does not load;
    `LOST` that the workspace or the daemon went away after the plugin had started, so a retry may run it twice;
    `NEVER_STARTED` that a queued call was given up, or its code is gone: it did not run.
    """

    EXCEPTION = "Exception"
    TIMEOUT = "Timeout"
    OUT_OF_MEMORY = "OutOfMemory"
    EXIT = "Exit"
    CRASH = "Crash"
    OUTPUT_TOO_LARGE = "OutputTooLarge"
    OUTPUT_INVALID = "OutputInvalid"
    CANCELLED = "Cancelled"
    LOAD_ERROR = "LoadError"
    LOST = "Lost"
    NEVER_STARTED = "NeverStarted"


@dataclass(frozen=True, slots=True)
class Failure:
    """The error of an execution: a type of the vocabulary, one message, and a stack where there is one."""

    type: FailureType
    message: str
    stack: str | None = None
    name: str | None = None

    @property
    def disk_full(self) -> bool:
        """Whether it says so, in the words of Node or of Python. A plugin can say what it likes."""
        return self.type is FailureType.EXCEPTION and ("ENOSPC" in self.message or "[Errno 28]" in self.message)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One captured line: milliseconds since the plugin started, level, text."""

    t: float
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class Emitted:
    """A value that a plugin gave out before its end: a JSON value."""

    value: object


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the runtime says of one execution. `output` is a JSON value; it means something only without `failure`."""

    output: object
    failure: Failure | None
    logs: tuple[LogEntry, ...]
    logs_truncated: bool
    duration_ms: float
