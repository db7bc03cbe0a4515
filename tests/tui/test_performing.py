"""The registry says what can be done, and `performing` how: neither knows of something that the other does not."""

from __future__ import annotations

from tui.actions import REGISTRY
from tui.performing import PERFORM


def test_every_action_can_be_done() -> None:
    """And nothing else."""
    assert list(PERFORM) == [action.name for action in REGISTRY]
