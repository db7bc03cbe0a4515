"""Looks at a plugin's code before anybody loads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from wsmgr.core.plugin import PluginSource
from wsmgr.core.policy import Rule, Sighting


class Validator(Protocol):
    """The code is untrusted: it is parsed and never run, in a process of its own, with bounds of time and memory."""

    @property
    def rules(self) -> Mapping[str, Rule]:
        """Every rule that `check` may name."""
        ...

    async def check(self, plugin: PluginSource) -> Sequence[Sighting]:
        """What was seen, files in order. Code that is too large, too slow or too deep to look at is seen as such: it
        raises nothing for any code. Within about half a minute, whatever is asked."""
        ...

    async def close(self) -> None:
        """End what runs for it."""
        ...
