"""What sightings come to for one plan."""

from __future__ import annotations

import pytest

from wsmgr.core.policy import FINDINGS_MOST, SYNTAX, Rule, Severity, Sighting, errors_of, judged

RULES = {
    "a": Rule("a", "a is bad", Severity.ERROR, Severity.WARNING),
    "b": Rule("b", "b is odd", Severity.WARNING, Severity.OFF),
    SYNTAX: Rule(SYNTAX, "no code", Severity.ERROR, Severity.WARNING),
}
OWN, THEIRS = "index.js", "node_modules/dep/index.js"


@pytest.mark.parametrize(
    ("file", "rule", "policy", "softened", "severity"),
    [
        (OWN, "a", {}, False, Severity.ERROR),
        (THEIRS, "a", {}, False, Severity.WARNING),
        (OWN, "b", {}, False, Severity.WARNING),
        (THEIRS, "b", {}, False, None),
        (OWN, "a", {"a": Severity.OFF}, False, None),
        (OWN, "a", {"a": Severity.WARNING}, False, Severity.WARNING),
        (THEIRS, "a", {"a": Severity.ERROR}, False, Severity.ERROR),
        (OWN, "b", {"b": Severity.ERROR}, False, Severity.ERROR),
        (OWN, "a", {}, True, Severity.WARNING),
        (OWN, "a", {"a": Severity.ERROR}, True, Severity.WARNING),
        (OWN, SYNTAX, {}, True, Severity.ERROR),
        (THEIRS, SYNTAX, {}, False, Severity.WARNING),
    ],
)
def test_severities(
    file: str, rule: str, policy: dict[str, Severity], softened: bool, severity: Severity | None
) -> None:
    """The plan's own first, then the rule's, which is milder on what is vendored; lifted restrictions soften all but
    syntax."""
    found = judged([Sighting(file, 1, 2, rule, "x")], RULES, policy, softened=softened)
    assert [one.severity for one in found] == ([] if severity is None else [severity])


def test_errors_come_first_and_there_are_not_too_many() -> None:
    """So that the first finding of a refusal is why it is refused."""
    seen = [Sighting(OWN, line, 1, "b", "") for line in range(1, 500)] + [Sighting("z.js", 7, 3, "a", "eval")]
    found = judged(seen, RULES, {})
    assert len(found) == FINDINGS_MOST
    assert errors_of(found) == found[:1]
    assert str(found[0]) == "z.js:7:3: error: eval: a is bad [a]"
