"""What the terminal can show: glyphs that it lacks are replaced, each by one of the same width."""

from __future__ import annotations

from collections.abc import Mapping

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_PLAIN = str.maketrans(
    "●◐‖○✖✔▲▼•…·→←↓↑▏▎▍▌▋▊▉█▄▅▆▇┃│━╸╺─▔▁▂▃┌┐└┘├┤┬┴┼“”",
    '*~=ox+^v*~-><v^   #########||-----___+++++++++""',
)
# The dots of graphs: the more of the eight there are, the darker.
_PLAIN |= {0x2800 + dots: ord(" .:::#####"[dots.bit_count()]) for dots in range(256)}


def needs_plain(environ: Mapping[str, str]) -> bool:
    """Whether the terminal shows little more than ASCII: the Linux console, or another encoding than UTF-8."""
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    return environ.get("TERM") in {"linux", "vt100", "vt220"} or "utf" not in locale.casefold().replace("-", "")


class PlainGlyphs(LineFilter):
    """Replaces glyphs on their way to the terminal, so that nothing else needs to know."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Textual's."""
        del background
        return [Segment(text.translate(_PLAIN), style, control) for text, style, control in segments]
