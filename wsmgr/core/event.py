"""The audit trail: who did what to which workspace, when and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from wsmgr.core.ids import WorkspaceId


@dataclass(frozen=True, slots=True)
class Event:
    """`workspace` None: about the daemon or the host. `actor` is `uid:<n>`, `token:<name>` or `wsmgr`.

    `id` is 0 until the store has given one.
    """

    at: datetime
    actor: str
    action: str
    reason: str
    workspace: WorkspaceId | None = None
    id: int = 0
