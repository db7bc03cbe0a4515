"""What one owner uses, over all of its workspaces."""

from __future__ import annotations

from collections.abc import Collection

from wsmgr.control.entry import Entry
from wsmgr.control.turns import Turns
from wsmgr.core.admission import Usage
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.plugin import Language
from wsmgr.core.rate import Bucket
from wsmgr.core.runtime import home_of, runtime_of
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

    def gives_way(self, workspace: WorkspaceId, now: float) -> list[Entry]:
        """Those that may be stopped for this workspace, its companion first, then the longest idle: nobody calls them,
        and they have the other runtime. (Of those with the same one the owner chose to have several.)"""
        runtime = runtime_of(workspace)
        idle = [
            entry
            for entry in self.entries.values()
            if entry.record.desired in HOLDING and entry.runtime is not runtime and not entry.attending
        ]
        return sorted(idle, key=lambda entry: (not _companions(entry.record.id, workspace), entry.active_mono - now))

    def holding(self, now: float, without: Collection[Entry] = ()) -> Usage:
        """What its workspaces that are wanted in memory hold, at `now` on the monotonic clock."""
        held = [e for e in self.entries.values() if e.record.desired in HOLDING and e not in without]
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


def _companions(one: WorkspaceId, other: WorkspaceId) -> bool:
    return home_of(one, Language.PYTHON) == home_of(other, Language.PYTHON)
