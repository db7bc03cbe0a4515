"""What a workspace may use and uses, and what holds each limit on this host."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tui.model.limits import LIMITS, LimitLine, limit_lines
from tui.session import Session
from tui.widgets.listing import Listing
from wsmgr.client import operations
from wsmgr.wire.capability import Capability


class Limits(Listing[LimitLine]):
    """Its limits beside those lines of the capability matrix that are about its own isolation."""

    def __init__(self, session: Session, key: str) -> None:
        super().__init__(session, LIMITS, lambda _: operations.capabilities(), every_s=60, id="limits")
        self._key = key
        self._matrix: list[Capability] = []

    def records(self, page: Any) -> Iterable[LimitLine]:
        """The limits, with what is known now."""
        self._matrix = list(page.items)
        return self._lines()

    def tell(self) -> None:
        """What is used changes with the row, without a question to the daemon."""
        if self.loaded:
            self.replace(self._lines())
        super().tell()

    def _lines(self) -> list[LimitLine]:
        row = self.session.store.get(self._key)
        return [] if row is None or row.source is None else limit_lines(row.source, self._matrix)
