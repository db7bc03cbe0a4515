"""What a workspace may use, and what holds each limit on this host."""

from __future__ import annotations

from tui.model.lists import CAPABILITIES
from tui.session import Session
from tui.widgets.listing import Listing
from wsmgr.client import operations
from wsmgr.wire.capability import Capability


class Limits(Listing[Capability]):
    """The capability matrix of the workspace's own isolation."""

    def __init__(self, session: Session, key: str) -> None:
        super().__init__(session, CAPABILITIES, lambda _: operations.capabilities(), every_s=60, id="limits")
        self._key = key
