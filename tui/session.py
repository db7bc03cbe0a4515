"""What one run of the UI knows, apart from any screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tui.daemon import Daemon
from tui.model.link import Link
from tui.model.row import row_of
from tui.model.store import Delta, Store
from tui.preferences import Memory, Preferences
from wsmgr.wire.fleet import FleetChanges, FleetHost, FleetPulse, FleetSnapshot, FleetUpdate


@dataclass
class Session:
    """`clock` gives seconds since the epoch."""

    daemon: Daemon
    clock: Callable[[], float]
    preferences: Preferences = field(default_factory=Preferences)
    memory: Memory = field(default_factory=Memory)
    store: Store = field(default_factory=Store)
    link: Link = field(default_factory=Link)
    host: FleetHost | None = None

    def take(self, update: FleetUpdate) -> Delta:
        """Bring the store up to date."""
        now = self.clock()
        self.link = self.link.heard(now)
        match update:
            case FleetSnapshot():
                self.host = update.host
                return self.store.replace((row_of(one, now) for one in update.workspaces), now)
            case FleetChanges():
                self.host = update.host or self.host
                return self.store.change((row_of(one, now) for one in update.workspaces), update.gone, now)
            case FleetPulse():
                return Delta()

    @property
    def why_no_action(self) -> str:
        """The sentence why nothing can be done now; empty when it can."""
        if self.preferences.read_only:
            return "This is a read-only session: start it without --read-only to act."
        if not self.link.live:
            return "There is no connection to the daemon: actions are off until it is back."
        return ""
