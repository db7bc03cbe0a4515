"""The stream of events: how it is read, and where it goes on after an interruption. No I/O here."""

from __future__ import annotations

from typing import Any

import httpx
from pydantic import ValidationError

from wsmgr.client.connection import is_event_stream, stream_options
from wsmgr.client.errors import (
    AnswerTimeout,
    ApiError,
    ClientError,
    ConnectionLost,
    DaemonUnreachable,
    UnexpectedAnswer,
)
from wsmgr.client.operation import Operation, decode
from wsmgr.client.sse import EventLines
from wsmgr.wire.event import Event

PATH = "/api/events"
SILENCE_S = 45.0
"""A daemon says something every 15 s; after three times as long the connection counts as lost."""
FIRST_RETRY_S = 0.5
LONGEST_RETRY_S = 10.0


def _refused(body: bytes) -> None:
    raise UnexpectedAnswer(f"GET {PATH} was answered with {body[:80]!r} and no stream: is this a wsmgr daemon?")


OPERATION: Operation[None] = Operation("GET", PATH, _refused, timeout_s=SILENCE_S)


class Stream:
    """What has come so far. `last` is the id of the last event, from which the next connection goes on."""

    def __init__(self, after: int | None) -> None:
        self.last = after
        self._was_connected = False
        self._failures = 0
        self._lines = EventLines()

    def request(self) -> dict[str, Any]:
        """The arguments of httpx's `stream` for the next connection."""
        self._lines.forget()
        options = stream_options(PATH, SILENCE_S)
        if self.last is not None:
            options["headers"]["Last-Event-ID"] = str(self.last)
        return options

    def is_stream(self, answer: httpx.Response) -> bool:
        """Whether the answer is a stream; else `refuse` it with its body."""
        if not is_event_stream(answer):
            return False
        self._was_connected, self._failures = True, 0
        return True

    def refuse(self, status: int, body: bytes) -> None:
        """Raises what an answer that is no stream means."""
        decode(OPERATION, status, body)

    def line(self, line: str) -> Event | None:
        """Take one line; an event when it ends one. Raises UnexpectedAnswer."""
        ended = self._lines.line(line)
        if ended is None:
            return None
        name, data = ended
        if name == "overflow":
            return None
        try:
            event = Event.model_validate_json(data)
        except ValidationError:
            raise UnexpectedAnswer(f"An event of {PATH} is not what this client knows: {data[:80]!r}.") from None
        self.last = event.id
        return event

    def pause_after(self, error: ClientError | None) -> float:
        """Seconds to wait before the next connection. Raises `error` when another try is useless: the daemon refused,
        or there never was a connection."""
        if error is not None:
            lost = isinstance(error, ConnectionLost | DaemonUnreachable | AnswerTimeout)
            busy = isinstance(error, ApiError) and error.retryable
            if not self._was_connected or not (lost or busy):
                raise error
            self._failures += 1
        return min(FIRST_RETRY_S * 2.0 ** max(0, self._failures - 1), LONGEST_RETRY_S)
