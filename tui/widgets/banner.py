"""Why there is no connection, over everything else on a screen, for as long as there is none."""

from __future__ import annotations

from textual.widgets import Static

from tui.model.link import Link


class Banner(Static):
    """Not there while the connection is live."""

    DEFAULT_CSS = """
    Banner { height: auto; max-height: 5; width: 1fr; padding: 0 1; background: $error-muted; color: $text-error;
        text-style: bold; display: none; }
    Banner.-shown { display: block; }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._said = ""

    def tell(self, link: Link, now: float) -> None:
        """Show how the connection is; `now` in seconds since the epoch."""
        said = link.banner(now)
        if said == self._said:
            return
        # The age alone is new: it needs no new layout.
        same_shape = said.count("\n") == self._said.count("\n") and len(said) == len(self._said)
        self._said = said
        self.set_class(bool(said), "-shown")
        self.update(said, layout=not same_shape)
