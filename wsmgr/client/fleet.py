"""The live view of all workspaces: how one connection is read. No I/O here."""

from __future__ import annotations

from typing import Any, NoReturn

import httpx
from pydantic import ValidationError

from wsmgr.client.connection import CONNECT_S, explain
from wsmgr.client.errors import AnswerTimeout, ClientError, ConnectionLost, UnexpectedAnswer
from wsmgr.client.operation import Operation, decode
from wsmgr.client.sse import EventLines
from wsmgr.client.target import Target
from wsmgr.wire.fleet import FleetCaller, FleetChanges, FleetPulse, FleetSnapshot, FleetUpdate

PATH = "/api/fleet/stream"
SILENCE_S = 2.5
"""A daemon says something every second; what says nothing for longer than this hangs, or is gone."""
MEDIA_TYPE = "text/event-stream"

_MODELS: dict[str, type[FleetCaller | FleetSnapshot | FleetChanges]] = {
    "caller": FleetCaller,
    "snapshot": FleetSnapshot,
    "changes": FleetChanges,
}


def _refused(body: bytes) -> NoReturn:
    raise UnexpectedAnswer(f"GET {PATH} was answered with {body[:80]!r} and no stream: is this a wsmgr daemon?")


OPERATION: Operation[None] = Operation("GET", PATH, _refused, timeout_s=SILENCE_S)


def fleet_request(silence_s: float) -> dict[str, Any]:
    """The arguments of httpx's `stream`."""
    return {
        "method": "GET",
        "url": PATH,
        "headers": {"Accept": MEDIA_TYPE},
        "timeout": httpx.Timeout(silence_s, connect=CONNECT_S),
    }


def is_stream(answer: httpx.Response) -> bool:
    """Whether the answer is a stream; else `refuse` it with its body."""
    return answer.status_code == 200 and answer.headers.get("content-type", "").startswith(MEDIA_TYPE)


def refuse(status: int, body: bytes) -> None:
    """Raises what an answer that is no stream means."""
    decode(OPERATION, status, body)


def ended() -> ConnectionLost:
    """The daemon closed the stream in good order."""
    return ConnectionLost("The daemon ended the stream: it is stopping, or this reader was too slow for it.")


def broken(error: httpx.HTTPError, target: Target, silence_s: float) -> ClientError:
    """What a failure of the connection means."""
    if isinstance(error, httpx.ReadTimeout):
        return AnswerTimeout(
            f"The daemon at {target} has said nothing for {silence_s:g} s: it hangs, or the machine is overloaded."
        )
    return explain(error, target, OPERATION)


class FleetLines:
    """Lines of the stream to updates."""

    def __init__(self) -> None:
        self._lines = EventLines()

    def line(self, line: str) -> FleetUpdate | None:
        """Take one line; an update when it ends one. Raises UnexpectedAnswer."""
        if line.startswith(":"):
            return FleetPulse()
        ended = self._lines.line(line)
        if ended is None:
            return None
        name, data = ended
        model = _MODELS.get(name)
        if model is None:
            return None
        try:
            return model.model_validate_json(data)
        except ValidationError:
            raise UnexpectedAnswer(
                f"The {name} of {PATH} is not what this client knows: is the daemon of another version?"
            ) from None
