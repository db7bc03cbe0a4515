"""What a host can enforce, with the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """`ENFORCED`: seen to hold. `BEST_EFFORT`: a weaker means is in force. `ABSENT`: nothing holds it."""

    ENFORCED = "enforced"
    BEST_EFFORT = "best effort"
    ABSENT = "absent"


REQUIRED = frozenset(
    {
        "engine",
        "no_new_privileges",
        "seccomp",
        "capabilities",
        "network",
        "read_only_root",
        "user_namespace",
        "channel",
    }
)
"""Without these a container is no sandbox, or cannot be reached: a host that lacks one is not fit."""


@dataclass(frozen=True, slots=True)
class Capability:
    """One line of the capability matrix: what was tried, what was seen, and how to mend what is missing."""

    name: str
    level: Level
    evidence: str
    mend: str | None = None

    @property
    def required(self) -> bool:
        """Whether a host that lacks it is not fit for containers."""
        return self.name in REQUIRED
