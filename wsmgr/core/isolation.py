"""How strongly a workspace is kept apart from the host and from the others."""

from __future__ import annotations

from enum import StrEnum

from wsmgr.core.errors import InvalidRequest


class Isolation(StrEnum):
    """`CONTAINER` is the product; `WORKER` a weaker sandbox; `NONE` no sandbox at all, for development."""

    CONTAINER = "container"
    WORKER = "worker"
    NONE = "none"


_ALIASES = {"docker": Isolation.CONTAINER, "podman": Isolation.CONTAINER}


def parse_isolation(text: str) -> Isolation:
    """The isolation a word stands for; `docker` and `podman` mean `container`. Raises InvalidRequest."""
    word = text.strip().lower()
    if word in _ALIASES:
        return _ALIASES[word]
    try:
        return Isolation(word)
    except ValueError:
        known = ", ".join([*Isolation, *_ALIASES])
        raise InvalidRequest(f"{text!r} is not an isolation: use one of {known}.") from None
