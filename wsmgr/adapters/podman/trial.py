"""What is tried in the breaking probe, and what came of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from wsmgr.core.workspace import Spec

_MIB = 1024 * 1024
_BURN_MS = 400
_MORE_FORKS = 16


@dataclass(frozen=True, slots=True)
class Attempt:
    """How many processes are started, how long the CPU is burnt (ms), how much memory is taken (MiB); 0: not tried."""

    forks: int
    burn_ms: int
    greedy_mb: int


def attempt_on(spec: Spec, limits: Mapping[str, str]) -> Attempt:
    """Break what is written in the group's files `limits`: where nothing holds the probe, the host must not suffer."""
    return Attempt(
        forks=spec.pids + _MORE_FORKS,
        burn_ms=_BURN_MS if _limited(limits, "cpu.max") else 0,
        greedy_mb=2 * spec.memory_mb if _limited(limits, "memory.max") else 0,
    )


def _limited(limits: Mapping[str, str], name: str) -> bool:
    return not limits.get(name, "max").startswith("max")


@dataclass(frozen=True, slots=True)
class Report:
    """What the script inside says. None where it did not come to it.

    `forks` processes were started until one was refused with `refused` (an errno's name). `cpu_ms` of CPU time were
    used within `burn_ms`. `greedy` is how the process that took memory ended: a signal, or "exit 0".
    """

    forks: int | None = None
    refused: str | None = None
    burn_ms: int | None = None
    cpu_ms: int | None = None
    greedy: str | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """`counts` are the kernel's, of the breaking probe's groups. `unfinished` says why the report is not whole.

    `freeze` is why freezing did not work, None when it did; `freezable` whether there was a group to try it on.
    """

    report: Report = Report()
    counts: Mapping[str, int] = field(default_factory=dict)
    unfinished: str | None = None
    freezable: bool = False
    freeze: str | None = None


def parse_report(data: bytes) -> Report:
    """The script's file. Raises ValueError when it is anything else."""
    said = json.loads(data)
    if not isinstance(said, dict):
        message = f"a report is an object, not {type(said).__name__}"
        raise ValueError(message)  # noqa: TRY004 (one kind of error for whatever a container may write)
    return Report(
        forks=_number(said, "forks"),
        refused=_text(said, "refused"),
        burn_ms=_number(said, "burn_ms"),
        cpu_ms=_number(said, "cpu_ms"),
        greedy=_text(said, "greedy"),
        done=said.get("done") is True,
    )


def _number(said: Mapping[str, object], key: str) -> int | None:
    value = said.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    message = f"{key} is no count"
    raise ValueError(message)


def _text(said: Mapping[str, object], key: str) -> str | None:
    value = said.get(key)
    if value is None or (isinstance(value, str) and len(value) <= 32 and value.isascii() and value.isprintable()):
        return value
    message = f"{key} is no short word"
    raise ValueError(message)
