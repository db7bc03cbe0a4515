"""What of the fleet is shown, in which order: the store through a filter and a sort."""

from __future__ import annotations

from tui.model.filter import BadFilter, Filter, parse
from tui.model.row import Row
from tui.model.sort import VALUES, Sort
from tui.model.store import Store


class View:
    """A bad filter changes nothing: the last good one stays in force and `complaint` says what is wrong."""

    def __init__(self, store: Store, *, filter_text: str = "", sort: Sort | None = None) -> None:
        self._store = store
        self.sort = sort if sort is not None and sort.key in VALUES else Sort()
        self.filter = Filter()
        self.complaint = ""
        self.set_filter(filter_text)

    def set_filter(self, text: str) -> None:
        """Take what was typed."""
        try:
            self.filter, self.complaint = parse(text), ""
        except BadFilter as error:
            self.complaint = str(error)

    def rows(self, now: float) -> list[Row]:
        """The rows to show, in order; `now` in seconds since the epoch."""
        return self.sort.apply(row for row in self._store if self.filter.matches(row, now))

    def keys(self, now: float) -> list[str]:
        """Their ids."""
        return [row.id for row in self.rows(now)]
