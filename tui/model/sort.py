"""The order of the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tui.model.row import Row

_STATUS_ORDER = {"ERROR": 0, "CREATING": 1, "RUNNING": 2, "PAUSED": 3, "STOPPED": 4}

VALUES: dict[str, Callable[[Row], Any]] = {
    "id": lambda row: row.place,
    "status": lambda row: _STATUS_ORDER.get(row.status, 9),
    # Plans have no order of their own; what they promise has.
    "plan": lambda row: (row.memory_limit_mb or 0, row.plan),
    "cpu": lambda row: row.cpu_percent,
    "mem": lambda row: row.memory_mb,
    "net": lambda row: row.network_rate,
    "exec": lambda row: row.executions_per_minute,
    "health": lambda row: (row.healthy is not False, -row.failures),
    "restarts": lambda row: row.restarts,
    # The longest uptime is the earliest start.
    "up": lambda row: None if row.started_at is None else -row.started_at,
    "idle": lambda row: None if row.next_rung is None else row.next_rung[1],
    "reason": lambda row: row.reason.casefold(),
}
"""By what rows are ordered in each column, None where it is not known; the keys are those of the columns."""

_BIG_FIRST = frozenset({"cpu", "mem", "net", "exec", "restarts", "up"})


@dataclass(frozen=True, slots=True)
class Sort:
    """By one column; rows whose figure is not known come last both ways. Equal rows stand by id."""

    key: str = "id"
    descending: bool = False

    def inverted(self) -> Sort:
        """The other way."""
        return Sort(self.key, not self.descending)

    def by(self, key: str) -> Sort:
        """By this column, in the way that is mostly wanted of it; by the present one: the other way."""
        return self.inverted() if key == self.key else Sort(key, key in _BIG_FIRST)

    def beside(self, step: int, keys: Sequence[str]) -> Sort:
        """By the column `step` places on in `keys`, around the end."""
        at = keys.index(self.key) if self.key in keys else 0
        key = keys[(at + step) % len(keys)]
        return Sort(key, key in _BIG_FIRST)

    def apply(self, rows: Iterable[Row]) -> list[Row]:
        """The rows in order."""
        value = VALUES[self.key]
        ordered = sorted(rows, key=lambda row: row.place)
        if self.key == "id":
            return ordered[::-1] if self.descending else ordered
        known = [row for row in ordered if value(row) is not None]
        known.sort(key=value, reverse=self.descending)
        return known + [row for row in ordered if value(row) is None]
