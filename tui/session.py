"""What one run of the UI knows, apart from any screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tui.daemon import Daemon
from tui.model.link import Link
from tui.model.row import row_of
from tui.model.store import Delta, Store
from tui.model.trouble import Trouble
from tui.preferences import Memory, Preferences
from wsmgr.wire.fleet import FleetCaller, FleetChanges, FleetHost, FleetPulse, FleetSnapshot, FleetUpdate


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
    caller: FleetCaller | None = None
    _told: bool = False
    """Whether this connection has brought a snapshot: signs of life alone make nothing true."""

    def take(self, update: FleetUpdate) -> Delta:
        """Bring the store up to date."""
        now = self.clock()
        self._told = self._told or isinstance(update, FleetSnapshot)
        if self._told:
            self.link = self.link.heard(now)
        match update:
            case FleetSnapshot():
                self.host = update.host
                return self.store.replace((row_of(one, now) for one in update.workspaces), now)
            case FleetChanges():
                self.host = update.host or self.host
                return self.store.change((row_of(one, now) for one in update.workspaces), update.gone, now)
            case FleetCaller():
                self.caller = update
                return Delta()
            case FleetPulse():
                return Delta()

    def lose(self, trouble: Trouble) -> None:
        """The connection is gone; what is known stays."""
        self._told = False
        self.link = self.link.lost(trouble)

    @property
    def read_only(self) -> bool:
        """Whether nothing is offered that changes anything: the operator wants it so, or the daemon."""
        return self.preferences.read_only or (self.caller is not None and self.caller.role != "admin")

    @property
    def why_no_action(self) -> str:
        """The sentence why nothing can be done now; empty when it can."""
        if self.preferences.read_only:
            return "This is a read-only session: start it without --read-only to act."
        if self.caller is not None and self.read_only:
            return f"You may only look here: the daemon gives {self.caller.actor} the role {self.caller.role}."
        if not self.link.live:
            return "There is no connection to the daemon: actions are off until it is back."
        return ""
