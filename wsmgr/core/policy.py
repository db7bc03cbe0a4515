"""What in a plugin's code is refused or warned of, and what that comes to for one plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from wsmgr.core.bundle import is_vendored

SYNTAX = "syntax"
"""The rule of code that is none. It is no matter of trust, so `unrestrictedRuntime` does not soften it."""

FINDINGS_MOST = 100
"""More of them help nobody; errors come first."""


class Severity(StrEnum):
    """`ERROR` refuses the version, `WARNING` is told with it, `OFF` says nothing."""

    ERROR = "error"
    WARNING = "warning"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `vendored`: how heavy it is in packages that a bundle brings along, which their users did not write."""

    id: str
    why: str
    severity: Severity
    vendored: Severity


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where a checker saw what a rule is about; `line` and `column` count from 1, 0 for the file as a whole."""

    file: str
    line: int
    column: int
    rule: str
    what: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What people are told. `file` is empty where it is not about a file."""

    file: str
    line: int
    column: int
    rule: str
    why: str
    severity: Severity

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{place}{self.severity}: {self.why} [{self.rule}]"


def judged(
    seen: Iterable[Sighting], rules: Mapping[str, Rule], policy: Mapping[str, Severity], *, softened: bool = False
) -> tuple[Finding, ...]:
    """What the sightings come to: `policy` has the plan's own severities by rule. `softened`: what would be refused is
    warned of, because the plan lifts the restrictions anyway."""
    found = []
    for one in seen:
        rule = rules[one.rule]
        severity = policy.get(rule.id) or (rule.vendored if is_vendored(one.file) else rule.severity)
        if softened and severity is Severity.ERROR and rule.id != SYNTAX:
            severity = Severity.WARNING
        if severity is not Severity.OFF:
            why = f"{one.what}: {rule.why}" if one.what else rule.why
            found.append(Finding(one.file, one.line, one.column, rule.id, why, severity))
    found.sort(key=lambda one: (one.severity is not Severity.ERROR, is_vendored(one.file), one.file, one.line))
    return tuple(found[:FINDINGS_MOST])


def errors_of(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that refuse the version."""
    return tuple(one for one in findings if one.severity is Severity.ERROR)
