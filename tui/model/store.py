"""The rows as the daemon last told them, and what changed when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tui.model.row import Row

MARKED_S = 30.0
"""How long a change of status stays marked, in seconds."""


@dataclass(frozen=True, slots=True)
class Delta:
    """What an update changed. `changed` are ids of rows that were there before and are now different."""

    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


class Store:
    """All rows by id. A snapshot replaces them; changes come on top."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._status_at: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def get(self, key: str | None) -> Row | None:
        """The row of an id."""
        return None if key is None else self._rows.get(key)

    def replace(self, rows: Iterable[Row], now: float) -> Delta:
        """Take a snapshot: what it does not name is gone."""
        new = {row.id: row for row in rows}
        gone = frozenset(self._rows) - frozenset(new)
        return self.change(new.values(), gone, now)

    def change(self, rows: Iterable[Row], gone: Iterable[str], now: float) -> Delta:
        """Take rows that came or changed, and ids that are gone; `now` in seconds since the epoch."""
        added: set[str] = set()
        changed: set[str] = set()
        removed = {key for key in gone if self._rows.pop(key, None) is not None}
        for key in removed:
            self._status_at.pop(key, None)
        for row in rows:
            before = self._rows.get(row.id)
            self._rows[row.id] = row
            if before == row:
                continue
            (changed if before is not None else added).add(row.id)
            if before is not None and before.status != row.status:
                self._status_at[row.id] = now
        # A row that is gone and there again in one update is another workspace under the id.
        fresh = added - removed
        return Delta(frozenset(fresh), frozenset(removed - added), frozenset((changed | added) - fresh))

    def is_marked(self, key: str, now: float) -> bool:
        """Whether its status changed a short while ago."""
        at = self._status_at.get(key)
        return at is not None and now - at < MARKED_S

    def next_unmark(self, now: float) -> float | None:
        """Seconds until the next mark has to go; None when there is no mark. Forgets those that are over."""
        for key in [key for key, at in self._status_at.items() if now - at >= MARKED_S]:
            del self._status_at[key]
        return min((at + MARKED_S - now for at in self._status_at.values()), default=None)

    def counts(self) -> dict[str, int]:
        """How many are in which status."""
        found: dict[str, int] = {}
        for row in self._rows.values():
            found[row.status] = found.get(row.status, 0) + 1
        return found
