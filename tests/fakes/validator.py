"""A validator that sees what tests say it sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wsmgr.adapters.validator.rules import rules
from wsmgr.core.plugin import PluginSource
from wsmgr.core.policy import Rule, Sighting
from wsmgr.ports.validator import Validator


class FakeValidator(Validator):
    """`sees` maps a text to what is seen in code that has it; `asked` are the versions that were looked at."""

    def __init__(self) -> None:
        self.sees: dict[str, Sighting] = {}
        self.asked: list[PluginSource] = []
        self.closed = False

    @property
    def rules(self) -> Mapping[str, Rule]:
        """Those of the built-in policy."""
        return rules()

    async def check(self, plugin: PluginSource) -> Sequence[Sighting]:
        """What `sees` says."""
        self.asked.append(plugin)
        texts = (
            [plugin.code]
            if plugin.bundle is None
            else [file.data.decode(errors="replace") for file in plugin.bundle.files]
        )
        return [sight for text, sight in self.sees.items() if any(text in one for one in texts)]

    async def close(self) -> None:
        """Only noted."""
        self.closed = True
