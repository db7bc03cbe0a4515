"""JSON from a runtime: parsed, bounded in depth, and mended where honest plugins produce what is not quite JSON."""

from __future__ import annotations

import json

import orjson

from wsmgr.ports.channel import ProtocolViolation

DEPTH_MOST = 200
"""Levels of nesting that can travel on: the API's own encoder ends at 254, envelope included."""

_MENDABLE_BYTES = 4 * 1024 * 1024  # the way around below costs twenty times the plain one, in the event loop


class Unfit(Exception):
    """It is JSON, of a kind that cannot travel on; the text says why, to follow "The output …"."""


class TooDeep(Unfit):
    """The document is nested deeper than DEPTH_MOST."""

    def __init__(self) -> None:
        super().__init__(f"is nested deeper than the {DEPTH_MOST} levels that an answer can carry.")


class TooLargeNumber(Unfit):
    """A number in it is beyond those that a double can hold. (JSON.rawJSON makes such.)"""

    def __init__(self) -> None:
        super().__init__("holds a number that is larger than 1.8e308.")


def parsed(body: bytes) -> object:
    """The JSON value of `body`. Raises Unfit, and ProtocolViolation when it is not JSON."""
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if "depth limit" in str(error):
            raise TooDeep from None
        if "infinity" in str(error):
            raise TooLargeNumber from None
        value = _mended(body, error)
    # Counting brackets is a hundred times faster than walking, and nearly always enough.
    if body.count(b"[") + body.count(b"{") > DEPTH_MOST and _deeper_than(value, DEPTH_MOST):
        raise TooDeep
    return value


def _mended(body: bytes, error: orjson.JSONDecodeError) -> object:
    """JavaScript strings may hold half a surrogate pair, which JSON.stringify escapes and no UTF-8 can hold: U+FFFD."""
    if len(body) > _MENDABLE_BYTES or b"\\ud" not in body.lower():
        raise ProtocolViolation(f"The answer is not JSON: {error}.") from None
    try:
        value = json.loads(body)
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        except ValueError:
            raise TooLargeNumber from None
        return orjson.loads(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
    except RecursionError:
        raise TooDeep from None
    except ValueError as second:
        raise ProtocolViolation(f"The answer is not JSON: {second}.") from None


def _deeper_than(value: object, most: int) -> bool:
    level: list[object] = [value]
    for _ in range(most):
        inner: list[object] = []
        for each in level:
            if isinstance(each, dict):
                inner.extend(each.values())
            elif isinstance(each, list):
                inner.extend(each)
        if not inner:
            return False
        level = inner
    return True
