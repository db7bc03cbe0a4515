"""Puts anything that can be raised into plain, short strings. An exception may be hostile: a `__str__` that raises, or
returns something else; nothing here may fail because of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import CodeType, TracebackType

from workspace_runtime.child.names import shown

_MESSAGE_MOST = 4096
_STACK_MOST = 4096
_NAME_MOST = 100
_FRAMES_MOST = 40
_dumps = json.JSONEncoder().encode
Described = dict[str, object]


def describe_raised(error: BaseException) -> Described:
    """`{type, name, message, stack}` of what an execution raised."""
    if isinstance(error, MemoryError):
        error.__traceback__ = None  # it holds what the plugin has filled its memory with
        return {"type": "OutOfMemory"}
    name = _name(error)
    if isinstance(error, SystemExit):
        message = f"The plugin called sys.exit({_short(error.code)}) instead of returning; return a value or raise."
        return {"type": "Exit", "name": name, "message": message}
    detail = _detail(error)
    message = name if detail == "" else f"{name}: {detail}"
    return {"type": "Exception", "name": name, "message": message[:_MESSAGE_MOST], "stack": _stack(error, message)}


def describe_load(error: BaseException, wanted: Mapping[str, object]) -> bytes:
    """The same for a plugin that did not load, with the place in its source where that is known, as JSON."""
    described = describe_raised(error)
    try:
        place = _place(error)
    except Exception:
        place = {}
    if isinstance(error, ModuleNotFoundError):
        described["message"] = f"{described['message']}. Only the standard library and the plugin's own files are here."
    if isinstance(error, PluginShapeError):
        described["message"] = error.sentence
    return encoded({**described, **place})


class PluginShapeError(Exception):
    """The plugin is no plugin."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def encoded(described: Described) -> bytes:
    """As JSON; the escapes make any text UTF-8."""
    return _dumps(described).encode()


def _name(error: BaseException) -> str:
    return str(type.__getattribute__(type(error), "__name__"))[:_NAME_MOST]


def _detail(error: BaseException) -> str:
    try:
        if isinstance(error, SyntaxError) and error.msg:
            return str(error.msg)[:_MESSAGE_MOST]
        return str(error)[:_MESSAGE_MOST]
    except Exception:
        return "an exception that cannot be put into words"


def _short(value: object) -> str:
    try:
        return "" if value is None else repr(value)[:200]
    except Exception:
        return "a value that cannot be shown"


def _frames(traceback: TracebackType | None) -> Iterator[tuple[CodeType, int, int]]:
    while traceback is not None:
        yield traceback.tb_frame.f_code, traceback.tb_lineno, traceback.tb_lasti
        traceback = traceback.tb_next


def _stack(error: BaseException, message: str) -> str:
    """The headline, then the plugin's own frames, the innermost last: what is around them is the runtime's."""
    lines = []
    for code, line, _ in _frames(error.__traceback__):
        name = shown(code.co_filename)
        if name is not None:
            lines.append(f'  File "{name}", line {line}, in {code.co_name[:100]}')
    if len(lines) > _FRAMES_MOST:
        half = _FRAMES_MOST // 2
        lines[half:-half] = [f"  ... {len(lines) - 2 * half} more ..."]
    return "\n".join([message[: _STACK_MOST // 2], *lines])[:_STACK_MOST]


def _place(error: BaseException) -> Described:
    if isinstance(error, SyntaxError) and shown(error.filename or "") is not None:
        return {"line": error.lineno, **({"column": error.offset} if error.offset else {})}
    last: Described = {}
    for code, line, instruction in _frames(error.__traceback__):
        if shown(code.co_filename) is not None:
            last = {"line": line}
            positions = list(code.co_positions())
            column = positions[instruction // 2][2] if instruction // 2 < len(positions) else None
            if column is not None:
                last["column"] = column + 1
    return last
