"""The connection to the daemon as an operator sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui.model.format import precise
from tui.model.trouble import Trouble


@dataclass(frozen=True, slots=True)
class Link:
    """`heard_at`: when the data was last known to be true, in seconds since the epoch; None: never yet. `trouble` is
    there while there is no connection."""

    heard_at: float | None = None
    trouble: Trouble | None = None

    @property
    def live(self) -> bool:
        """Whether what is shown is true now, and actions make sense."""
        return self.heard_at is not None and self.trouble is None

    def heard(self, now: float) -> Link:
        """The daemon said something."""
        return Link(now)

    def lost(self, trouble: Trouble) -> Link:
        """There is no connection any more."""
        return replace(self, trouble=trouble)

    def banner(self, now: float) -> str:
        """What stands over everything while there is no connection; empty when there is one."""
        if self.trouble is None:
            return ""
        age = "no data yet" if self.heard_at is None else f"data {precise(now - self.heard_at)} old"
        said = f"{self.trouble.sentence} {self.trouble.remedy}".strip()
        return f"{self.trouble.headline} · {age} · actions are off · retrying\n{said}"
