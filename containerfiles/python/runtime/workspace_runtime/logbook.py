"""The logs of one execution, as JSON text with an exact cap."""

from __future__ import annotations

import json
import time
from json.encoder import encode_basestring as quoted

_ENTRY_MOST = 80  # bytes of an entry besides its message
_CUT_LEAST = 16  # a message is not cut shorter than this, but left out


class Logbook:
    """`text` is JSON objects with commas between them."""

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._started = time.monotonic()
        self.text = bytearray()
        self.truncated = False

    def add(self, level: str, message: str) -> bytes | None:
        """Keep an entry, cut to the room that is left. Returns it as JSON; None when it is left out."""
        if self.truncated:
            return None
        room = self._cap - len(self.text) - (1 if self.text else 0)
        moment = round((time.monotonic() - self._started) * 1000, 3)
        head = f'{{"t":{json.dumps(moment)},"level":"{level}","message":'.encode()
        entry = head + quoted(message[: max(0, room)]).encode() + b"}"
        if len(message) > room or len(entry) > room:
            self.truncated = True
            most = _fitting(message, room - _ENTRY_MOST)
            if most < _CUT_LEAST:
                return None
            entry = head + quoted(message[:most]).encode() + b"}"
            if len(entry) > room:
                return None
        if self.text:
            self.text += b","
        self.text += entry
        return entry


def _fitting(message: str, room: int) -> int:
    """How many characters of a message fit: escapes and UTF-8 make several bytes of one."""
    if room <= 0:
        return 0
    low, high = 0, min(len(message), room)
    while low < high:
        middle = (low + high + 1) // 2
        if len(quoted(message[:middle]).encode()) - 2 <= room:
            low = middle
        else:
            high = middle - 1
    return low
