"""What a runtime answered, checked field by field. Nothing in it is believed because of where it came from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NoReturn

from wsmgr.adapters.channel.json import Unfit, parsed
from wsmgr.core.outcome import Emitted, Failure, FailureType, LogEntry, Outcome
from wsmgr.core.plugin_settings import version_in_runtime
from wsmgr.ports.channel import Call, ProtocolViolation, RuntimeBusy, RuntimeHealth, UnknownVersion

TEXT_MOST = 64 * 1024
NAME_MOST = 256
_TOLD_MOST = 200  # characters of a refusal that go into a sentence of ours

# A runtime cannot know that the workspace or the daemon went away, or what never came: that is for the daemon to say.
_TYPES = {type_.value: type_ for type_ in FailureType if type_ not in (FailureType.LOST, FailureType.NEVER_STARTED)}


def outcome_of(status: int, body: bytes, call: Call) -> Outcome:
    """The outcome of an execution. Raises UnknownVersion, RuntimeBusy, ProtocolViolation."""
    try:
        value = parsed(body)
    except Unfit as why:
        if status != 200:
            raise ProtocolViolation(f"The answer of status {status} {why}") from None
        return unfit(why)
    if status != 200:
        _refused(status, value)
    return _outcome(_object(value, "answer"), call)


def piece_of(line: bytes, call: Call) -> LogEntry | Emitted | Outcome:
    """What one line of a streaming answer says. Raises ProtocolViolation, and Unfit."""
    value = _object(parsed(line), "line")
    if "success" in value:
        return _outcome(value, call)  # a runtime that does not stream yet: its whole answer is one line
    if len(value) == 1:
        if "emit" in value:
            return Emitted(value["emit"])
        if "log" in value:
            return _entry(value["log"])
        if "result" in value:
            return _outcome(_object(value["result"], "result"), call)
    return _wrong("line", sorted(value)[:3])


def cancelled_of(status: int, body: bytes) -> bool:
    """Whether there was something to cancel. Raises RuntimeBusy, ProtocolViolation."""
    value = _shallow(body)
    if status == 404:
        return False
    if status != 200:
        _refused(status, value)
    cancelled = _object(value, "answer").get("cancelled")
    return cancelled if isinstance(cancelled, bool) else _wrong("cancelled", cancelled)


def _outcome(answer: Mapping[str, object], call: Call) -> Outcome:
    if "output" not in answer:
        _wrong("output", None)
    success = answer.get("success")
    if success is not True and success is not False:
        _wrong("success", success)
    error = answer.get("error")
    if success is (error is not None):
        raise ProtocolViolation('The answer\'s "success" and "error" contradict each other.')
    truncated = answer.get("logsTruncated")
    if truncated is not True and truncated is not False:
        _wrong("logsTruncated", truncated)
    return Outcome(
        answer["output"] if success else None,
        None if success else _failure(error),
        _logs(answer.get("logs"), call.log_bytes),
        truncated,
        _number(answer, "durationMs"),
    )


def load_failure_of(status: int, body: bytes) -> Failure | None:
    """What came of a push: None when it loaded. Raises RuntimeBusy, ProtocolViolation."""
    value = _shallow(body)
    if status == 200:
        _object(value, "answer")
        return None
    if status not in (413, 422):
        _refused(status, value)
    error = _object(_object(value, "answer").get("error"), "error")
    # Whatever the runtime dislikes (syntax, language, size), it is this version that it will not run.
    return Failure(
        FailureType.LOAD_ERROR, _text(error, "message", TEXT_MOST), _optional(error, "stack"), _optional(error, "name")
    )


def took_key(status: int, body: bytes) -> bool:
    """Whether the runtime has the key now; False where it knows of none. Raises RuntimeBusy, ProtocolViolation."""
    if status in (404, 405, 501):
        # In whatever words: a runtime of somebody else's need not know the path.
        return False
    value = _shallow(body)
    if status != 200:
        _refused(status, value)
    return True


def check_deleted(status: int, body: bytes) -> None:
    """Raises RuntimeBusy, ProtocolViolation unless the plugin is gone."""
    value = _shallow(body)
    if status not in (200, 404):
        _refused(status, value)


def health_of(status: int, body: bytes, *, shared: bool = False) -> RuntimeHealth:
    """Raises ProtocolViolation. `shared`: the plugins are left out."""
    value = _shallow(body)
    if status != 200:
        _refused(status, value)
    answer = _object(value, "answer")
    plugins = _object(answer.get("plugins"), "plugins")
    for version in plugins.values():
        if not isinstance(version, str):
            _wrong("plugins", version)
    return RuntimeHealth(
        status=_text(answer, "status", NAME_MOST),
        runtime=_text(answer, "runtime", NAME_MOST),
        uptime_s=_number(answer, "uptime"),
        inflight=_count(answer, "inflight"),
        executions=_count(answer, "executions"),
        plugins={} if shared else {slug: version_in_runtime(str(version)) for slug, version in plugins.items()},
    )


def unfit(why: Unfit) -> Outcome:
    """What becomes of an output, or of something emitted, that cannot travel on."""
    failure = Failure(FailureType.OUTPUT_INVALID, f"The output {why}")
    return Outcome(None, failure, (), logs_truncated=True, duration_ms=0.0)


def _refused(status: int, value: object) -> NoReturn:
    error = _object(_object(value, "answer").get("error"), "error")
    kind = _text(error, "type", NAME_MOST)
    if (status, kind) == (409, "unknown_version"):
        raise UnknownVersion
    if (status, kind) == (503, "draining"):
        raise RuntimeBusy
    told = error.get("message")
    raise ProtocolViolation(f"The runtime refused with {status} {kind}: {str(told)[:_TOLD_MOST]}")


def _failure(value: object) -> Failure:
    error = _object(value, "error")
    kind = error.get("type")
    type_ = _TYPES.get(kind) if isinstance(kind, str) else None
    if type_ is None:
        _wrong("error.type", kind)
    return Failure(type_, _text(error, "message", TEXT_MOST), _optional(error, "stack"), _optional(error, "name"))


def _logs(value: object, log_bytes: int) -> tuple[LogEntry, ...]:
    if not value and isinstance(value, list):
        return ()
    # The cap counts an entry as JSON text, at least some thirty bytes: this many cannot come from an honest runtime.
    if not isinstance(value, list) or len(value) > 64 + log_bytes // 8:
        raise ProtocolViolation('The answer\'s "logs" is not a list, or longer than the limits allow.')
    return tuple(_entry(each) for each in value)


def _entry(value: object) -> LogEntry:
    entry = _object(value, "logs[]")
    message = entry.get("message")
    if not isinstance(message, str):
        _wrong("logs[].message", message)
    return LogEntry(_number(entry, "t"), _text(entry, "level", NAME_MOST), message)


def _shallow(body: bytes) -> object:
    try:
        return parsed(body)
    except Unfit as why:
        raise ProtocolViolation(f"The answer {why}") from None


def _object(value: object, what: str) -> Mapping[str, object]:
    if type(value) is not dict:
        _wrong(what, value)
    return value


def _number(answer: Mapping[str, object], name: str) -> float:
    value = answer.get(name)
    if type(value) not in (float, int) or not 0 <= value < math.inf:  # type: ignore[operator]
        _wrong(name, value)
    return float(value)  # type: ignore[arg-type]


def _count(answer: Mapping[str, object], name: str) -> int:
    value = answer.get(name)
    if type(value) is not int or value < 0:
        _wrong(name, value)
    return value


def _text(answer: Mapping[str, object], name: str, most: int) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or len(value) > most:
        _wrong(name, value)
    return value


def _optional(answer: Mapping[str, object], name: str) -> str | None:
    return None if answer.get(name) is None else _text(answer, name, TEXT_MOST)


def _wrong(what: str, value: object) -> NoReturn:
    shown = f"a text of {len(value)} characters" if isinstance(value, str) and len(value) > 80 else repr(value)[:80]
    raise ProtocolViolation(f'The answer\'s "{what}" is {shown}, which the contract does not allow.')
