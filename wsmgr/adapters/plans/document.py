"""From the text of a plans file to plans, or to its mistakes, each with its line.

    plans:
      FREE:                      # what is left out is as in the built-in plan of that name
        memoryMb: 160
      TEAM:
        extends: PRO             # else a new plan begins as FREE
        maxConcurrentWorkspaces: 5
        policy:                  # of validation, by rule; what is left out is as in the plan that this one builds on
          js/dynamic-code: warning
    noPlan:                      # for owners with no plan at all
      idleTimeoutSeconds: 600

The text is read as a tree with places, not as values: so that two keys of one name, and what YAML 1.1 makes of `010`,
`1:30` or `on`, are mistakes and no surprises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import yaml

from wsmgr.core.errors import InvalidPlans, InvalidRequest
from wsmgr.core.limit_table import LimitRule, LimitValue, overridden, rule_named
from wsmgr.core.limits import FREE, Plan
from wsmgr.core.plans import BUILT_IN, PlanBook
from wsmgr.core.policy import Severity

MAX_BYTES = 256 * 1024
"""A file of plans is some kilobytes; a parser in Python takes seconds for a megabyte."""

_NAME = re.compile(r"[A-Z][A-Z0-9_-]{0,31}")
_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?")
_NO_PLAN = "noPlan"
_POLICY = "policy"
_SEVERITIES = "error, warning or off"


@dataclass(frozen=True, slots=True)
class Mistake:
    """`line` counts from 1; None: the file as a whole."""

    line: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class _Section:
    """One plan as it stands in the file; `extends` with its line."""

    line: int
    extends: tuple[str, int] | None = None
    limits: Mapping[str, LimitValue] = field(default_factory=dict)
    policy: Mapping[str, Severity] = field(default_factory=dict)
    policy_lines: Mapping[str, int] = field(default_factory=dict)


def parse(text: str, file: str, rules: frozenset[str] = frozenset()) -> PlanBook:
    """The plans of a text; `file` is its name for people, `rules` are those that a policy may name. Raises
    InvalidPlans, with every mistake in the details."""
    mistakes: list[Mistake] = []
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = " ".join(part for part in (error.context, error.problem) if part)
        raise refused(file, [Mistake(mark.line + 1 if mark else None, f"it is not YAML: {why}")]) from None
    except (yaml.YAMLError, RecursionError) as error:
        why = " ".join(str(error).split())[:200]
        raise refused(file, [Mistake(None, f"it is not YAML: {why}")]) from None
    plans, no_plan = _sections(root, mistakes)
    every = {name: _resolve(name, plans, mistakes) for name in plans}
    without = _with(BUILT_IN.no_plan, no_plan) if no_plan else BUILT_IN.no_plan
    for section in (*plans.values(), *((no_plan,) if no_plan else ())):
        mistakes += [
            Mistake(section.policy_lines[rule], f"there is no rule {rule[:80]!r}; there are {', '.join(sorted(rules))}")
            for rule in section.policy
            if rule not in rules
        ]
    if mistakes:
        raise refused(file, mistakes)
    return PlanBook(MappingProxyType({**BUILT_IN.plans, **every}), without, file)


def refused(file: str, mistakes: Iterable[Mistake]) -> InvalidPlans:
    """The error for a file, its first mistake in the sentence and all of them in the details."""
    every = sorted(set(mistakes), key=lambda one: (one.line or 0, one.reason))
    first = every[0]
    place = file if first.line is None else f"{file}, line {first.line}"
    more = f" (The first of {len(every)} mistakes.)" if len(every) > 1 else ""
    return InvalidPlans(
        f"The plans file cannot be used: {place}: {first.reason}.{more}",
        details={"file": file, "mistakes": [{"line": one.line, "reason": one.reason} for one in every]},
    )


def _sections(root: yaml.Node | None, mistakes: list[Mistake]) -> tuple[dict[str, _Section], _Section | None]:
    members = _members(root, "the file", mistakes) if root is not None else {}
    for name, (key, _) in members.items():
        if name not in {"plans", _NO_PLAN}:
            mistakes.append(Mistake(_line(key), f"{name!r} is not known here; there are plans and {_NO_PLAN}"))
    if "plans" not in members:
        mistakes.append(Mistake(None if root is None else _line(root), "it has no mapping `plans`"))
        return {}, None
    found: dict[str, _Section] = {}
    for name, (key, value) in _members(members["plans"][1], "plans", mistakes).items():
        if not _NAME.fullmatch(name):
            mistakes.append(Mistake(_line(key), f"{name[:80]!r} is not a plan's name: it must match {_NAME.pattern}"))
            continue
        found[name] = _section(key, value, name, mistakes)
    if _NO_PLAN not in members:
        return found, None
    key, value = members[_NO_PLAN]
    no_plan = _section(key, value, _NO_PLAN, mistakes)
    if no_plan.extends is not None:
        mistakes.append(Mistake(no_plan.extends[1], f"{_NO_PLAN} extends nothing"))
    return found, no_plan


def _section(key: yaml.Node, node: yaml.Node, name: str, mistakes: list[Mistake]) -> _Section:
    extends: tuple[str, int] | None = None
    limits: dict[str, LimitValue] = {}
    policy: dict[str, Severity] = {}
    policy_lines: dict[str, int] = {}
    for member, (place, value) in _members(node, name, mistakes).items():
        line = _line(value)
        if member == "extends":
            extends = (value.value if isinstance(value, yaml.ScalarNode) else "", line)
            continue
        if member == _POLICY:
            for rule_id, (rule_key, chosen) in _members(value, f"the policy of {name}", mistakes).items():
                severity = _severity(chosen)
                policy_lines[rule_id] = _line(rule_key)
                if severity is None:
                    mistakes.append(Mistake(_line(chosen), f"{rule_id} is {_shown(chosen)}: it must be {_SEVERITIES}"))
                else:
                    policy[rule_id] = severity
            continue
        try:
            rule = rule_named(member)
        except InvalidRequest as error:
            mistakes.append(Mistake(_line(place), error.sentence.removesuffix(".")))
            continue
        read = _value(rule, value)
        if read is None:
            mistakes.append(Mistake(line, f"{member} is {_shown(value)}: it must be {rule.form}"))
        else:
            limits[member] = read
    return _Section(_line(key), extends, limits, policy, policy_lines)


def _severity(node: yaml.Node) -> Severity | None:
    text = node.value if isinstance(node, yaml.ScalarNode) else None
    return next((severity for severity in Severity if severity.value == text), None)


def _with(base: Plan, section: _Section) -> Plan:
    """A plan with what a section says otherwise."""
    return replace(base, limits=overridden(base.limits, section.limits), policy={**base.policy, **section.policy})


def _resolve(name: str, plans: Mapping[str, _Section], mistakes: list[Mistake]) -> Plan:
    """A plan of the file: on those that it builds on, the furthest first, comes its own."""
    chain = [name]
    base = BUILT_IN.named(name)
    while (parent := _parent(chain[-1], plans)) is not None:
        other, line = parent
        if other in chain:
            mistakes.append(Mistake(line, f"{other} extends itself in the end"))
            return replace(base, name=name)
        if other not in plans and other not in BUILT_IN.plans:
            mistakes.append(Mistake(line, f"there is no plan {other[:80]!r} to extend"))
        base = BUILT_IN.named(other)
        if other not in plans:
            break
        chain.append(other)
    for link in reversed(chain):
        base = _with(base, plans[link])
    return replace(base, name=name)


def _parent(name: str, plans: Mapping[str, _Section]) -> tuple[str, int] | None:
    """What a plan of the file builds on, and in which line that is said; None: the built-in plan of its own name."""
    section = plans[name]
    if section.extends is not None or name in BUILT_IN.plans:
        return section.extends
    return FREE.name, section.line


def _members(node: yaml.Node, what: str, mistakes: list[Mistake]) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    """The members of a mapping, each with the nodes of its key and its value."""
    if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null":
        return {}
    if not isinstance(node, yaml.MappingNode):
        mistakes.append(Mistake(_line(node), f"{what} must be a mapping"))
        return {}
    found: dict[str, tuple[yaml.Node, yaml.Node]] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            mistakes.append(Mistake(_line(key), f"{what} has a key that is no text"))
        elif key.value in found:
            mistakes.append(Mistake(_line(key), f"{key.value[:80]!r} is there twice"))
        else:
            found[key.value] = (key, value)
    return found


def _value(rule: LimitRule, node: yaml.Node) -> LimitValue | None:
    """The value of a plain scalar; None when it is not what the rule takes."""
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:
        return None
    text = node.value
    value: LimitValue | None = None
    if rule.kind is bool:
        value = {"true": True, "false": False}.get(text)
    elif rule.kind is int and _WHOLE.fullmatch(text):
        value = int(text)
    elif rule.kind is float and _NUMBER.fullmatch(text):
        value = float(text)
    return value if value is not None and rule.takes(value) else None


def _shown(node: yaml.Node) -> str:
    return repr(node.value[:40]) if isinstance(node, yaml.ScalarNode) else "no single value"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
