"""What is loaded after the first rows is there."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tui import run


@pytest.mark.parametrize("name", run._LATER)
def test_what_is_loaded_later_exists(name: str) -> None:
    """A module that was renamed would end a UI a second after its start."""
    assert find_spec(name) is not None
