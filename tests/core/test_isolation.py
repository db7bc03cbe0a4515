"""Words for isolations."""

from __future__ import annotations

import pytest

from wsmgr.core.errors import InvalidRequest
from wsmgr.core.isolation import Isolation, parse_isolation


@pytest.mark.parametrize("word", ["container", "docker", "podman", " Docker "])
def test_the_platforms_words_mean_container(word: str) -> None:
    """PLUGIN_ISOLATION=docker is the platform's word for a container."""
    assert parse_isolation(word) is Isolation.CONTAINER


def test_an_unknown_word_is_refused_and_the_known_ones_are_named() -> None:
    """The sentence tells what could be said instead."""
    with pytest.raises(InvalidRequest, match="worker"):
        parse_isolation("chroot")
