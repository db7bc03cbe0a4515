"""The audit trail."""

from __future__ import annotations

from pydantic import AwareDatetime

from wsmgr.wire.base import Response
from wsmgr.wire.page import Page


class Event(Response):
    """Who did what, when and why. `workspace` null: about the daemon or the host. `before` and `after` are there where
    something was changed."""

    id: int
    at: AwareDatetime
    actor: str
    action: str
    reason: str
    workspace: str | None = None
    before: dict[str, str | int | float | bool | None] | None = None
    after: dict[str, str | int | float | bool | None] | None = None


class EventPage(Page[Event]):
    """Events, newest first."""
