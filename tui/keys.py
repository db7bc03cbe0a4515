"""Key bindings, made from the registry of actions, and how keys are written for people."""

from __future__ import annotations

from textual.binding import Binding

from tui.actions import Kind, of_kind

_WORDS = {
    "question_mark": "?", "slash": "/", "less_than_sign": "<", "greater_than_sign": ">", "left_square_bracket": "[",
    "right_square_bracket": "]", "colon": ":", "space": "space", "escape": "esc", "asterisk": "*", "left": "←",
    "right": "→", "up": "↑", "down": "↓", "pageup": "PgUp", "pagedown": "PgDn", "full_stop": ".", "comma": ",",
}  # fmt: skip


def bindings_of(kind: Kind) -> list[Binding]:
    """One for each action on this kind of thing."""
    return [
        Binding(action.key, f"act('{action.name}')", action.label, tooltip=action.about, show=action.hinted)
        for action in of_kind(kind)
    ]


def written(keys: str) -> str:
    """`slash,ctrl+f` as people know it: `/ ^f`."""
    return " ".join(_written(key.strip()) for key in keys.split(","))


def _written(key: str) -> str:
    return f"^{key[5:]}" if key.startswith("ctrl+") else _WORDS.get(key, key)
