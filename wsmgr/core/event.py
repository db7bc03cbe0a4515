"""The audit trail: who did what to which workspace, when and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from wsmgr.core.ids import WorkspaceId

Facts = Mapping[str, str | int | float | bool | None]
"""What a change has made of what: a few named values, small enough for one line."""


@dataclass(frozen=True, slots=True)
class Event:
    """`workspace` None: about the daemon or the host. `actor` is `uid:<n>`, `token:<name>` or `wsmgr`.

    `id` is 0 until the store has given one. `before` and `after` are there where something was changed.
    """

    at: datetime
    actor: str
    action: str
    reason: str
    workspace: WorkspaceId | None = None
    id: int = 0
    before: Facts | None = None
    after: Facts | None = None
