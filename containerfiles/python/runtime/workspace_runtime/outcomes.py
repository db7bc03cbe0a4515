"""How an execution can end badly, in the words that people read. Types are a contract; messages are sentences."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping

MESSAGE_MOST = 4096
STACK_MOST = 4096
NAME_MOST = 128
_TOLD = frozenset({"Exception", "OutputTooLarge", "OutputInvalid", "OutOfMemory", "Exit"})
Error = Mapping[str, object]


class LoadFailure(Exception):
    """A plugin version that did not load. `details` go into the answer beside the message: stack, line, column.
    `outcome` is what becomes of a call that wanted it."""

    def __init__(self, message: str, details: Error | None = None, outcome: Error | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or {"stack": ""}
        self.outcome = outcome or {"type": "Exception", "message": message, "stack": self.details.get("stack", "")}


def timeout(ms: float) -> Error:
    return {"type": "Timeout", "message": f"The plugin did not finish within its {ms:g} ms and was stopped."}


def out_of_memory() -> Error:
    message = "The plugin used more memory than its workspace may have and was stopped."
    return {"type": "OutOfMemory", "message": message}


def cancelled() -> Error:
    return {"type": "Cancelled", "message": "The execution was cancelled by its caller."}


def exited(code: int) -> Error:
    message = f"The plugin ended its process with exit code {code} instead of returning; return a value or raise."
    return {"type": "Exit", "message": message}


def crashed(why: str) -> Error:
    return {"type": "Crash", "message": f"The plugin's process ended unexpectedly: {why}"}


def ended_by_itself(status: int) -> Error:
    """From what waitpid said."""
    code = status_code(status)
    if code >= 0:
        return exited(code)
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return crashed(f"it was ended by {name}.")


def status_code(status: int) -> int:
    """As os.waitstatus_to_exitcode, and 0 for a state that is none of an end."""
    if status & 0x7F == 0:
        return status >> 8 & 0xFF
    return -(status & 0x7F)


def loading_ended(error: Error) -> LoadFailure:
    """The load was cut short by `error`."""
    message = {
        "Timeout": "The plugin did not finish loading in time: its top level must not run for long.",
        "OutOfMemory": "The plugin used more memory than its workspace may have while it loaded.",
        "Exit": "The plugin ended its own process while it loaded (sys.exit, os._exit).",
    }.get(str(error["type"]), str(error["message"]))
    return LoadFailure(message, outcome=error)


def reported(payload: bytes) -> Error:
    """What the process told of an error, copied field by field: nothing that came from plugin code is trusted."""
    value = _parsed(payload)
    kind = value.get("type")
    if kind == "OutOfMemory":
        return out_of_memory()
    error: dict[str, object] = {
        "type": kind if kind in _TOLD else "Exception",
        "message": _text(value, "message", MESSAGE_MOST) or "The plugin failed and did not say why.",
    }
    for field, most in (("name", NAME_MOST), ("stack", STACK_MOST)):
        text = _text(value, field, most)
        if text is not None:
            error[field] = text
    return error


def load_failure(payload: bytes) -> LoadFailure:
    """The same for a version that did not load."""
    value = _parsed(payload)
    if value.get("type") in {"OutOfMemory", "Exit"}:
        return loading_ended({"type": value["type"], "message": ""})
    details: dict[str, object] = {"stack": _text(value, "stack", STACK_MOST) or ""}
    for field in ("line", "column"):
        place = value.get(field)
        if type(place) is int and place > 0:
            details[field] = place
    return LoadFailure(_text(value, "message", MESSAGE_MOST) or "The plugin did not load.", details)


def _parsed(payload: bytes) -> Mapping[str, object]:
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: Mapping[str, object], name: str, most: int) -> str | None:
    text = value.get(name)
    return text[:most].encode(errors="replace").decode() if isinstance(text, str) else None
