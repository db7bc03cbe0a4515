"""Counts the runs of each workspace between two sweeps. Each call passes here, and pays less than a microsecond."""

from __future__ import annotations

from dataclasses import dataclass, field

from wsmgr.core.ids import WorkspaceId
from wsmgr.core.sketch import bucket_of


@dataclass(slots=True)
class Runs:
    """How many ended, how many of them failed, and how long they took: counts by bucket of core.sketch."""

    executions: int = 0
    errors: int = 0
    durations: dict[int, int] = field(default_factory=dict)


class Tally:
    """Bounded by the number of workspaces, and by the number of buckets for each."""

    def __init__(self) -> None:
        self._runs: dict[WorkspaceId, Runs] = {}
        self._refused: set[WorkspaceId] = set()

    def note(self, workspace: WorkspaceId, duration_ms: float, *, failed: bool) -> None:
        """A run ended."""
        runs = self._runs.get(workspace)
        if runs is None:
            runs = self._runs[workspace] = Runs()
        runs.executions += 1
        runs.errors += failed
        bucket = bucket_of(duration_ms)
        runs.durations[bucket] = runs.durations.get(bucket, 0) + 1

    def note_refused(self, workspace: WorkspaceId) -> None:
        """A run failed because its disk was full."""
        self._refused.add(workspace)

    def take_refused(self) -> set[WorkspaceId]:
        """Whose runs failed of that since the last time."""
        refused, self._refused = self._refused, set()
        return refused

    def take(self, workspace: WorkspaceId) -> Runs | None:
        """What ended since the last time; None: nothing."""
        return self._runs.pop(workspace, None)
