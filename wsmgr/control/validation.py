"""Looks at a version before anybody loads it, by the policy of its owner's plan."""

from __future__ import annotations

from wsmgr.control.terms import Terms
from wsmgr.core.errors import InvalidRequest
from wsmgr.core.ids import OwnerKey
from wsmgr.core.plugin import PluginSource
from wsmgr.core.policy import Finding, errors_of, judged
from wsmgr.ports.validator import Validator


class Validation:
    """Stateless but for its collaborators."""

    def __init__(self, validator: Validator, terms: Terms) -> None:
        self._validator = validator
        self._terms = terms

    async def check(self, owner: OwnerKey, source: PluginSource) -> tuple[Finding, ...]:
        """The warnings. Raises InvalidRequest, whose details have every finding with its place, when the owner's plan
        refuses what is in the code."""
        seen = await self._validator.check(source)
        plan = self._terms.of(await self._terms.owner(owner)).plan
        softened = plan.limits.unrestricted_runtime
        findings = judged(seen, self._validator.rules, plan.policy, softened=softened)
        errors = errors_of(findings)
        if errors:
            raise refusal(findings)
        return findings

    async def close(self) -> None:
        """End what validates."""
        await self._validator.close()


def refusal(findings: tuple[Finding, ...]) -> InvalidRequest:
    """The error for findings of which the first is one that refuses."""
    first, others = findings[0], len(errors_of(findings)) - 1
    more = f" ({others} more)" if others else ""
    return InvalidRequest(
        f"The code is refused: {first}.{more}",
        details={"findings": [as_details(one) for one in findings]},
    )


def as_details(one: Finding) -> dict[str, object]:
    """A finding as a JSON object."""
    return {
        "file": one.file,
        "line": one.line or None,
        "column": one.column or None,
        "rule": one.rule,
        "message": one.why,
        "severity": one.severity.value,
    }
