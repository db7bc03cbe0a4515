"""The audit trail."""

from __future__ import annotations

from pydantic import AwareDatetime

from wsmgr.wire.base import Response
from wsmgr.wire.page import Page


class Event(Response):
    """Who did what, when and why. `workspace` null: about the daemon or the host."""

    id: int
    at: AwareDatetime
    actor: str
    action: str
    reason: str
    workspace: str | None = None


class EventPage(Page[Event]):
    """Events, newest first."""
