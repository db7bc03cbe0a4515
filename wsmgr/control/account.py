"""What one owner uses, over all of its workspaces."""

from __future__ import annotations

from wsmgr.control.entry import Entry
from wsmgr.control.turns import Turns
from wsmgr.core.admission import Usage
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.rate import Bucket
from wsmgr.core.workspace import HOLDING


class Account:
    """There as long as the owner has a workspace, so that there are never more of them than of those.

    `bucket` None: it is full. `turns` are those of the owner's calls in whichever workspace.
    """

    def __init__(self) -> None:
        self.entries: dict[WorkspaceId, Entry] = {}
        self.turns = Turns()
        self.bucket: Bucket | None = None

    def holds(self, workspace: WorkspaceId) -> bool:
        """Whether that one is wanted in memory."""
        entry = self.entries.get(workspace)
        return entry is not None and entry.record.desired in HOLDING

    def holding(self, now: float) -> Usage:
        """What its workspaces that are wanted in memory hold, at `now` on the monotonic clock."""
        held = [entry for entry in self.entries.values() if entry.record.desired in HOLDING]
        frees = [
            max(1.0, entry.limits.idle_timeout_s - (now - entry.active_mono))
            for entry in held
            if entry.limits.idle_timeout_s and not entry.attending and not entry.serving.exhausted
        ]
        return Usage(
            workspaces=len(held),
            memory_mb=sum(entry.limits.memory_mb for entry in held),
            cpus=sum(entry.limits.cpus for entry in held),
            pids=sum(entry.limits.pids for entry in held),
            scratch_mb=sum(entry.limits.scratch_mb for entry in held),
            frees_in_s=min(frees, default=None),
        )
