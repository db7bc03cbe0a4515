"""Lines of server-sent events to events."""

from __future__ import annotations

EVENT_STREAM = "text/event-stream"
"""Their media type."""


class EventLines:
    """Of each event its name and data; ids and retries are nobody's business here."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew, on another connection."""
        self._name = self._data = ""

    def line(self, line: str) -> tuple[str, str] | None:
        """Take one line; the name and the data of the event that it ends, if it ends one."""
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                self._data += value
            elif name == "event":
                self._name = value
            return None
        ended = (self._name, self._data) if self._data else None
        self.forget()
        return ended
