"""Alerts."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from wsmgr.wire.base import Response
from wsmgr.wire.page import Page


class Alert(Response):
    """Something that an operator should know of; `cause` is its key. Open until `resolvedAt`. `workspace` null: about
    the daemon or the host."""

    id: int
    cause: str
    severity: Literal["warning", "critical"]
    sentence: str
    workspace: str | None = None
    raised_at: AwareDatetime
    resolved_at: AwareDatetime | None = None
    acknowledged_at: AwareDatetime | None = None
    acknowledged_by: str | None = None


class AlertPage(Page[Alert]):
    """Alerts, newest first."""
