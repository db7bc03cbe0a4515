"""Every limit is in the table, and the table decides what is taken."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsmgr.core.errors import InvalidRequest
from wsmgr.core.limit_table import (
    BY_NAME,
    RULES,
    LimitRule,
    LimitValue,
    check_overrides,
    differences,
    named_limits,
    overridden,
    rule_named,
)
from wsmgr.core.limits import ENTERPRISE, FREE, NO_PLAN, PRO, Limits, Plan


def test_every_field_has_one_rule() -> None:
    """A limit that is added has a name, bounds and a description."""
    assert sorted(rule.field for rule in RULES) == sorted(field.name for field in fields(Limits))
    assert len(BY_NAME) == len(RULES)
    assert all(rule.about for rule in RULES)


@pytest.mark.parametrize("plan", [FREE, PRO, ENTERPRISE, NO_PLAN], ids=lambda plan: plan.name)
def test_the_built_in_plans_are_within_the_bounds(plan: Plan) -> None:
    """And are themselves, written out and applied again."""
    check_overrides(named_limits(plan.limits))
    assert overridden(FREE.limits, named_limits(plan.limits)) == plan.limits


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("memoryMb", 32, True),
        ("memoryMb", 31, False),
        ("memoryMb", 300.0, False),
        ("memoryMb", True, False),
        ("cpus", 1, True),
        ("cpus", 0.01, True),
        ("cpus", 0, False),
        ("cpus", float("nan"), False),
        ("cpus", float("inf"), False),
        ("idleTimeoutSeconds", 0, True),
        ("idleTimeoutSeconds", -1, False),
        ("requireEnforcedLimits", True, True),
        ("requireEnforcedLimits", 1, False),
        ("maxConcurrentWorkspaces", 0, True),
        ("pluginVersionsKept", 0, False),
    ],
)
def test_a_value_is_taken_or_refused_with_what_it_must_be(name: str, value: LimitValue, taken: bool) -> None:
    """By type and by bounds."""
    if taken:
        check_overrides({name: value})
        assert named_limits(overridden(FREE.limits, {name: value}))[name] == value
        return
    with pytest.raises(InvalidRequest, match=f"{name} is .*: it must be ") as refused:
        check_overrides({name: value})
    assert refused.value.details == {"limit": name}
    assert overridden(FREE.limits, {name: value}) == FREE.limits


def test_an_unknown_name_is_refused_with_the_one_that_is_meant() -> None:
    """There is exactly one spelling."""
    with pytest.raises(InvalidRequest, match=r"no limit 'memory_mb'; memoryMb may be meant"):
        rule_named("memory_mb")
    with pytest.raises(InvalidRequest, match=r"no limit 'xyzzy'\."):
        check_overrides({"xyzzy": 1})
    assert overridden(FREE.limits, {"xyzzy": 1}) == FREE.limits


def test_differences_are_told_by_name() -> None:
    """Before and after, in the unit of the name."""
    after = overridden(FREE.limits, {"memoryMb": 160, "queueTimeoutMs": 1500})
    assert differences(FREE.limits, after) == {"memoryMb": (128, 160), "queueTimeoutMs": (30_000, 1500)}
    assert differences(after, after) == {}


@pytest.mark.parametrize(
    ("overrides", "totals"),
    [
        ({}, (1536, 3.0, 768, 768, 24)),
        ({"memoryMb": 300}, (900, 3.0, 768, 768, 24)),
        ({"ownerMemoryMb": 600, "ownerConcurrentExecutions": 5}, (600, 3.0, 768, 768, 5)),
        ({"maxConcurrentWorkspaces": 0}, (0, 0.0, 0, 0, 8)),
    ],
)
def test_an_owners_totals_follow_from_its_workspaces(
    overrides: dict[str, LimitValue], totals: tuple[int, float, int, int, int]
) -> None:
    """Unless they are set themselves."""
    limits = overridden(PRO.limits, overrides)
    assert (
        limits.total_memory_mb,
        limits.total_cpus,
        limits.total_pids,
        limits.total_scratch_mb,
        limits.total_executions,
    ) == totals


def _values(rule: LimitRule) -> st.SearchStrategy[LimitValue]:
    if rule.kind is bool:
        return st.booleans()
    if rule.kind is int:
        return st.integers(int(rule.least), int(rule.most))
    return st.floats(rule.least, rule.most)


@given(st.data())
def test_what_is_taken_comes_back_as_it_was(data: st.DataObject) -> None:
    """Through the fields and their units."""
    rule = data.draw(st.sampled_from(RULES))
    value = data.draw(_values(rule))
    assert rule.takes(value)
    assert named_limits(overridden(FREE.limits, {rule.name: value}))[rule.name] == value
