"""Copying over SSH: OSC 52, wrapped for tmux and screen, with a cap beyond which terminals drop it."""

from __future__ import annotations

import base64
from collections.abc import Mapping

MAX_BYTES = 74_994
"""xterm and others take sequences of 100,000 bytes; this is what base64 and the frame leave of them."""
_SCREEN_PIECE = 252
"""GNU screen hands on strings of up to 256 bytes."""


class TooMuch(Exception):
    """More than a terminal takes."""

    def __init__(self, size: int) -> None:
        self.sentence = f"That is {size:,} bytes; terminals take {MAX_BYTES:,} at the most. Save it to a file instead."
        super().__init__(self.sentence)


def sequence(text: str, environ: Mapping[str, str]) -> str:
    """What to write to the terminal. Raises TooMuch."""
    raw = text.encode("utf-8", "replace")
    if len(raw) > MAX_BYTES:
        raise TooMuch(len(raw))
    told = f"\x1b]52;c;{base64.b64encode(raw).decode()}\x07"
    if environ.get("TMUX"):
        # tmux hands on what stands in its own string, with each escape doubled (needs `allow-passthrough on`), and
        # takes the plain sequence itself where `set-clipboard` is on.
        return told + "\x1bPtmux;" + told.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environ.get("STY"):
        pieces = (told[at : at + _SCREEN_PIECE] for at in range(0, len(told), _SCREEN_PIECE))
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return told
