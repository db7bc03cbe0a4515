"""The live view of all workspaces: how one connection is read. No I/O here."""

from __future__ import annotations

from typing import NoReturn

from pydantic import ValidationError

from wsmgr.client.asking import PATH
from wsmgr.client.errors import ConnectionLost, UnexpectedAnswer
from wsmgr.client.operation import Operation, decode
from wsmgr.client.sse import EventLines
from wsmgr.wire.fleet import FleetCaller, FleetChanges, FleetPulse, FleetSnapshot, FleetUpdate

SILENCE_S = 2.5
"""A daemon says something every second; what says nothing for longer than this hangs, or is gone."""

_MODELS: dict[str, type[FleetCaller | FleetSnapshot | FleetChanges]] = {
    "caller": FleetCaller,
    "snapshot": FleetSnapshot,
    "changes": FleetChanges,
}


def _refused(body: bytes) -> NoReturn:
    raise UnexpectedAnswer(f"GET {PATH} was answered with {body[:80]!r} and no stream: is this a wsmgr daemon?")


OPERATION: Operation[None] = Operation("GET", PATH, _refused, timeout_s=SILENCE_S)


def refuse(status: int, body: bytes) -> None:
    """Raises what an answer that is no stream means."""
    decode(OPERATION, status, body)


def ended() -> ConnectionLost:
    """The daemon closed the stream in good order."""
    return ConnectionLost("The daemon ended the stream: it is stopping, or this reader was too slow for it.")


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
