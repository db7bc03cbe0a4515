"""The end of what a process wrote."""

from __future__ import annotations

from collections.abc import Sequence

TAIL_BYTES = 64 * 1024


class Tail:
    """Keeps the last bytes of an output, at most TAIL_BYTES of them, however much is written."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._cut = False

    def add(self, data: bytes) -> None:
        """Append."""
        self._kept += data[-TAIL_BYTES:]
        excess = len(self._kept) - TAIL_BYTES
        if excess > 0:
            del self._kept[:excess]
            self._cut = True

    def lines(self, most: int) -> Sequence[str]:
        """The last lines, oldest first; the first one kept is left out when its beginning is gone."""
        lines = self._kept.decode(errors="replace").splitlines()
        if self._cut:
            lines = lines[1:]
        return lines[-most:] if most > 0 else []
