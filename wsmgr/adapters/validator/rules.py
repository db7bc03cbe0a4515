"""The built-in policy, read from its file, and turned into what checkers look names up in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from wsmgr.core.policy import Rule, Severity


@dataclass(frozen=True, slots=True)
class Patterns:
    """For one language, each name with the id of its rule. `members` are paths; `*` stands before a path's end."""

    modules: Mapping[str, str] = field(default_factory=dict)
    calls: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def module(self, name: str) -> str | None:
        """The rule of a module, or of a package above it."""
        parts = name.removeprefix("node:").replace("/", ".").split(".")
        tried = (name.removeprefix("node:"), *(".".join(parts[:end]) for end in range(len(parts), 0, -1)))
        return next((self.modules[one] for one in tried if one in self.modules), None)

    def member(self, path: str) -> str | None:
        """The rule of a path such as `process.binding`; what it is part of does not matter."""
        if path in self.members:
            return self.members[path]
        parts = path.split(".")
        ends = (f"*.{'.'.join(parts[start:])}" for start in range(1, len(parts)))
        found = next((self.members[end] for end in ends if end in self.members), None)
        return found or self.attributes.get(parts[-1])

    def file(self, name: str) -> str | None:
        """The rule of a file by the end of its name."""
        return next((rule for end, rule in self.files.items() if name.lower().endswith(end)), None)

    @property
    def words(self) -> frozenset[str]:
        """Text without any of these has nothing that a rule is about."""
        paths = (path.rpartition(".")[2] for path in self.members)
        return frozenset((*self.modules, *self.calls, *self.names, *paths, *self.attributes))


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by its id."""
    return {
        one["id"]: Rule(one["id"], one["why"], Severity(one["severity"]), Severity(one["vendored"]))
        for one in _document()
    }


@cache
def patterns(language: str) -> Patterns:
    """What the rules of a language look for."""
    mine = [one for one in _document() if one.get("language") == language]
    return Patterns(**{kind: _table(mine, kind) for kind in Patterns.__dataclass_fields__})


def _table(documents: Iterable[dict[str, Any]], kind: str) -> dict[str, str]:
    return {name: one["id"] for one in documents for name in one.get(kind, ())}


@cache
def _document() -> list[dict[str, Any]]:
    text = (files("wsmgr.adapters.validator") / "policy.yaml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = yaml.safe_load(text)["rules"]
    return found
