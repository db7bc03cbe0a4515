"""What a host can enforce, with proof."""

from __future__ import annotations

from wsmgr.wire.base import Response
from wsmgr.wire.names import Isolation, Level
from wsmgr.wire.page import Page


class Capability(Response):
    """One line of the capability matrix. `isolation`: the one whose engine was tried. `required`: the daemon's own
    settings ask for it to be enforced."""

    isolation: Isolation | None = None
    name: str
    level: Level
    evidence: str
    mend: str | None = None
    required: bool = False


class CapabilityPage(Page[Capability]):
    """The capability matrix."""
