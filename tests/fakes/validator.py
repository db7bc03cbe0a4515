"""A validator that sees what tests say it sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wsmgr.adapters.validator.rules import rules
from wsmgr.core.bundle import is_vendored
from wsmgr.core.plugin import Language, PluginSource
from wsmgr.core.policy import Rule, Sighting
from wsmgr.ports.validator import Validator


class FakeValidator(Validator):
    """`sees` maps a text to what is seen in each file that has it; `asked` are the versions that were looked at."""

    def __init__(self) -> None:
        self.sees: dict[str, Sighting] = {}
        self.asked: list[PluginSource] = []
        self.closed = False

    @property
    def rules(self) -> Mapping[str, Rule]:
        """Those of the built-in policy."""
        return rules()

    async def check(self, plugin: PluginSource) -> Sequence[Sighting]:
        """What `sees` says, with the name of the file where it was; what is vendored comes last."""
        self.asked.append(plugin)
        files = sorted(_texts(plugin), key=lambda one: is_vendored(one[0]))
        return [replace(sight, file=name) for name, text in files for part, sight in self.sees.items() if part in text]

    async def close(self) -> None:
        """Only noted."""
        self.closed = True


def _texts(plugin: PluginSource) -> list[tuple[str, str]]:
    if plugin.bundle is None:
        return [({Language.JAVASCRIPT: "index.js", Language.PYTHON: "main.py"}[plugin.language], plugin.code)]
    return [(file.path, file.data.decode(errors="replace")) for file in plugin.bundle.files]
