"""The volumes of the host, for administrators."""

from __future__ import annotations

from wsmgr.wire.base import Response
from wsmgr.wire.page import Page


class Volume(Response):
    """One volume. `workspace` holds it, or, where it is an `orphan`, is whose data it has although no workspace here
    holds it. `sizeMb`: what its files can take; `capMb`: what its workspace's plan gives of that. `trouble` says why
    it cannot be used now."""

    name: str
    size_mb: float
    cap_mb: float
    used_mb: float
    workspace: str | None = None
    orphan: bool = False
    trouble: str | None = None


class VolumePage(Page[Volume]):
    """All volumes, by name."""
