"""The tail of a log, kept while it is followed: pages overlap, and what is new in each is joined on."""

from __future__ import annotations

from collections.abc import Sequence

from tui.model.format import printable

KEPT = 10_000
"""So many lines are kept."""


class Tail:
    """`lines` are numbered from the first that was ever seen, so that a number stays with its line."""

    def __init__(self) -> None:
        self.first = 0
        self.lines: list[str] = []
        self.missed = False

    def take(self, page: Sequence[str]) -> int:
        """Join the newest lines (oldest first) to what is known; returns how many were new. `missed` tells that some
        came and went in between."""
        new = [printable(line) for line in page]
        known = self.lines[-len(new) :] if new else []
        overlap = next((size for size in range(len(known), 0, -1) if known[-size:] == new[:size]), 0)
        if self.lines and new and not overlap:
            self.missed = True
        self.lines += new[overlap:]
        if (extra := len(self.lines) - KEPT) > 0:
            del self.lines[:extra]
            self.first += extra
        return len(new) - overlap

    def numbered(self) -> list[tuple[int, str]]:
        """All that are kept."""
        return list(enumerate(self.lines, self.first))
