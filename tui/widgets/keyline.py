"""The keys of a screen, at its foot."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen

from tui.keys import written
from tui.model.cell import Cell
from tui.widgets.cells import CellLine


class KeyLine(CellLine):
    """As many as fit: those that the screen's own bindings name first come first."""

    DEFAULT_CSS = "KeyLine { dock: bottom; background: $panel; }"

    def tell(self, screen: Screen[Any]) -> None:
        """Show the keys that do something on this screen now."""
        cells: list[tuple[Cell, int]] = []
        room = self.size.width - len(" ? Help ")
        for key, label in _keys(screen):
            wide = len(key) + len(label) + 3
            if wide > room:
                break
            room -= wide
            cells += [(Cell(f" {key} ", "key"), len(key) + 2), (Cell(label), len(label) + 1)]
        self.show([*cells, (Cell(" ? ", "key"), 3), (Cell("Help"), 5)])


def _keys(screen: Screen[Any]) -> list[tuple[str, str]]:
    found: dict[str, list[str]] = {}
    shown = [active.binding for active in screen.active_bindings.values() if active.binding.show and active.enabled]
    # What can be done here comes before where else one can go.
    for far in (False, True):
        for binding in (one for one in shown if one.action.startswith("app.page") is far):
            found.setdefault(binding.description, []).append(written(binding.key))
    return [("/".join(dict.fromkeys(keys)), label) for label, keys in found.items() if label != "Help"]
