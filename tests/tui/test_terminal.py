"""The clipboard of the operator's terminal, and glyphs for terminals that have few."""

from __future__ import annotations

import base64
import re

import pytest
from rich.segment import Segment
from textual.color import Color

from tui.clipboard import MAX_BYTES, TooMuch, sequence
from tui.terminal import PlainGlyphs, needs_plain

TEXT = "user:alice é " * 40


def _payload(told: str) -> str:
    found = re.search(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", told)
    assert found is not None
    return base64.b64decode(found[1]).decode()


def test_osc_52() -> None:
    """As terminals take it."""
    assert _payload(sequence(TEXT, {})) == TEXT


def test_within_tmux_it_is_wrapped_too() -> None:
    """Once for tmux itself, once to be handed on with every escape doubled."""
    told = sequence(TEXT, {"TMUX": "/tmp/tmux"})
    assert _payload(told) == TEXT
    wrapped = told[told.index("\x1bPtmux;") + len("\x1bPtmux;") : -len("\x1b\\")]
    assert _payload(wrapped.replace("\x1b\x1b", "\x1b")) == TEXT


def test_within_screen_it_comes_in_pieces() -> None:
    """Each in a string of its own that screen hands on."""
    told = sequence(TEXT, {"STY": "1.x"})
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", told, flags=re.DOTALL)
    assert max(map(len, pieces)) <= 252
    assert _payload("".join(pieces)) == TEXT


def test_what_is_too_much_for_a_terminal_is_said_to_be() -> None:
    """Instead of being dropped by it."""
    assert _payload(sequence("x" * MAX_BYTES, {}))
    with pytest.raises(TooMuch, match="Save it to a file"):
        sequence("x" * (MAX_BYTES + 1), {})


@pytest.mark.parametrize(
    ("environ", "plain"),
    [
        ({"TERM": "xterm-256color", "LANG": "C.UTF-8"}, False),
        ({"TERM": "screen", "LC_ALL": "en_US.utf8", "LANG": "C"}, False),
        ({"TERM": "linux", "LANG": "C.UTF-8"}, True),
        ({"TERM": "xterm", "LANG": "C"}, True),
        ({"TERM": "xterm"}, True),
    ],
)
def test_which_terminals_need_plain_glyphs(environ: dict[str, str], plain: bool) -> None:
    """The console, and other encodings."""
    assert needs_plain(environ) is plain


def test_plain_glyphs_are_as_wide_as_the_others() -> None:
    """And the words stay."""
    (segment,) = PlainGlyphs().apply([Segment("● RUNNING ▲ ███▍ …")], Color(0, 0, 0))
    assert segment.text == "* RUNNING ^ ###  ~"


def test_graphs_are_drawn_without_braille_too() -> None:
    """The more dots, the darker; each is one cell."""
    (segment,) = PlainGlyphs().apply([Segment("\u2800\u2801\u2847\u28ff")], Color(0, 0, 0))
    assert segment.text == " .:#"
