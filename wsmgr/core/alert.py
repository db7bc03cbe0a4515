"""Alerts: what an operator should know of now, once for each cause."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation


class Severity(StrEnum):
    """CRITICAL: something does not work. WARNING: it works, and not as it should."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is the matter now. `cause` is its key: as long as it lasts, it is one alert."""

    cause: str
    severity: Severity
    sentence: str
    workspace: WorkspaceId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A trouble on record. Open until it is resolved; acknowledged when somebody said that they know."""

    id: int
    cause: str
    severity: Severity
    sentence: str
    workspace: WorkspaceId | None
    raised_at: datetime
    resolved_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None


class Stage(StrEnum):
    """What is told of an alert."""

    RAISED = "raised"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Notice:
    """That an alert was raised or resolved. `id` names it for ever: the same notice that is told twice has the same."""

    alert: Alert
    stage: Stage

    @property
    def id(self) -> str:
        """Unique, also among the databases of several daemons."""
        made = f"{self.alert.id}|{self.alert.cause}|{self.alert.raised_at.timestamp():.6f}|{self.stage}"
        return hashlib.sha256(made.encode()).hexdigest()[:32]


def workspace_error(workspace: WorkspaceId, reason: str) -> Trouble:
    """Its restarts are used up."""
    return Trouble(f"workspace.error:{workspace}", Severity.CRITICAL, reason, workspace)


def workspace_degraded(workspace: WorkspaceId, why: str) -> Trouble:
    """A worker stands in for its container."""
    sentence = f"A worker stands in for the container, with weaker isolation: {why}"
    return Trouble(f"workspace.degraded:{workspace}", Severity.WARNING, sentence, workspace)


def engine_away(isolation: Isolation, why: str) -> Trouble:
    """An engine does no work."""
    return Trouble(f"engine.away:{isolation.value}", Severity.CRITICAL, f"The engine {isolation.value} is away: {why}")


def limits_lost(workspace: WorkspaceId) -> Trouble:
    """It runs, and the kernel does not hold it to its limits."""
    sentence = "The kernel does not hold it to its limits any more; `wsmgr doctor` says what this host enforces."
    return Trouble(f"workspace.limits:{workspace}", Severity.CRITICAL, sentence, workspace)


def host_full(why: str) -> Trouble:
    """Workspaces are refused for want of memory."""
    return Trouble("host.full", Severity.CRITICAL, f"Workspaces cannot start: {why}")


def records_dropped(count: int) -> Trouble:
    """Execution records are lost."""
    sentence = f"{count} execution records were dropped since the daemon started: the database does not keep up."
    return Trouble("records.dropped", Severity.WARNING, sentence)
