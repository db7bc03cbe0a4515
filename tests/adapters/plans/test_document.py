"""What a plans file may say, and what is said of one that is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsmgr.adapters.plans import parse, render
from wsmgr.core.errors import InvalidPlans
from wsmgr.core.limit_table import overridden
from wsmgr.core.limits import FREE, PRO
from wsmgr.core.plans import BUILT_IN
from wsmgr.core.policy import Severity


def test_the_built_in_plans_survive_being_written_and_read() -> None:
    """What `wsmgr plan default` prints is a plans file with the platform's values."""
    text = render(BUILT_IN)
    book = parse(text, "plans.yaml")
    assert book == BUILT_IN
    assert book.source == "plans.yaml"
    assert "memoryMb: 128                       # memory of a workspace" in text


def test_a_file_says_only_what_is_different() -> None:
    """The rest is as built in, also plans that it does not name; a new plan begins as the file's FREE."""
    book = parse("plans:\n  FREE: {memoryMb: 160}\n  TINY: {cpus: 0.1}\nnoPlan:\n  idleTimeoutSeconds: 0\n", "f")
    assert book.named("free").limits == overridden(FREE.limits, {"memoryMb": 160})
    assert book.named("TINY").limits == overridden(FREE.limits, {"memoryMb": 160, "cpus": 0.1})
    assert book.named("PRO") == PRO
    assert book.named(None).limits.idle_timeout_s == 0
    assert book.named(None).limits.memory_mb == 256
    assert book.named("GONE") == book.named("FREE")


def test_a_plan_extends_another_in_whatever_order() -> None:
    """Of the file, or built in; over several steps."""
    text = "plans:\n  A: {extends: B, cpus: 3}\n  B: {extends: PRO, memoryMb: 600}\n  PRO: {extends: ENTERPRISE}\n"
    book = parse(text, "f")
    expected = overridden(BUILT_IN.named("ENTERPRISE").limits, {"memoryMb": 600, "cpus": 3})
    assert book.named("A").limits == expected
    assert book.named("PRO").limits == BUILT_IN.named("ENTERPRISE").limits


@pytest.mark.parametrize("text", ["plans:\n", "plans: {}\n", "plans:\n  FREE:\n", "# x\nplans: {PRO: }\n"])
def test_an_empty_plan_is_the_built_in_one(text: str) -> None:
    """Nothing is different."""
    assert parse(text, "f") == BUILT_IN


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", None, "it has no mapping `plans`"),
        ("x", 1, "the file must be a mapping"),
        ("Plans:\n  FREE: {}\n", 1, "'Plans' is not known here"),
        ("plans:\n- FREE\n", 2, "plans must be a mapping"),
        ("plans:\n  free: {}\n", 2, "'free' is not a plan's name"),
        ("plans:\n  FREE:\n    cpus: 1\n    memory_mb: 9\n", 4, "memoryMb may be meant"),
        ("plans:\n  FREE:\n    memoryMb: 128 MB\n", 3, "memoryMb is '128 MB': it must be a whole number from 32"),
        ("plans:\n  FREE:\n    memoryMb: 0200\n", 3, "memoryMb is '0200'"),
        ("plans:\n  FREE:\n    memoryMb: '200'\n", 3, "memoryMb is '200'"),
        ("plans:\n  FREE:\n    memoryMb: 0x100\n", 3, "memoryMb is '0x100'"),
        ("plans:\n  FREE:\n    idleTimeoutSeconds: 1:30\n", 3, "idleTimeoutSeconds is '1:30'"),
        ("plans:\n  FREE:\n    memoryMb: 128.0\n", 3, "memoryMb is '128.0'"),
        ("plans:\n  FREE:\n    memoryMb: 1\n", 3, "memoryMb is '1': it must be a whole number from 32 to 1048576"),
        ("plans:\n  FREE:\n    cpus: .nan\n", 3, "cpus is '.nan'"),
        ("plans:\n  FREE:\n    cpus: -1\n", 3, "cpus is '-1'"),
        ("plans:\n  FREE:\n    cpus: [1]\n", 3, "cpus is no single value"),
        ("plans:\n  FREE:\n    requireEnforcedLimits: yes\n", 3, "it must be true or false"),
        ("plans:\n  FREE:\n    cpus: 1\n    cpus: 2\n", 4, "'cpus' is there twice"),
        ("plans:\n  A: {}\n  A: {}\n", 3, "'A' is there twice"),
        ("plans:\n  FREE:\n    <<: {cpus: 1}\n", 3, "there is no limit '<<'"),
        ("plans:\n  A:\n    extends: B\n  B:\n    extends: A\n", 3, "extends itself"),
        ("plans:\n  FREE:\n    extends: TEAM\n  TEAM: {}\n", 3, "extends itself"),
        ("plans:\n  A:\n    extends: GOLD\n", 3, "there is no plan 'GOLD' to extend"),
        ("plans: {}\nnoPlan:\n  extends: FREE\n", 3, "noPlan extends nothing"),
        ("plans:\n  FREE: [\n", 3, "it is not YAML"),
        ("plans: {}\n---\nplans: {}\n", 2, "it is not YAML"),
        ("plans: *x\n", 1, "it is not YAML: found undefined alias"),
        ("plans: \x07\n", None, "it is not YAML"),
        ("[" * 5000, None, "it is not YAML"),
        ("plans:\n  ? [a]\n  : {}\n", 2, "a key that is no text"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int | None, reason: str) -> None:
    """In a sentence with the file's name; a parser's own words are in it, and no stack trace."""
    with pytest.raises(InvalidPlans) as refused:
        parse(text, "/etc/wsmgr/plans.yaml")
    mistakes = refused.value.details["mistakes"]
    assert isinstance(mistakes, list)
    told = [one for one in mistakes if reason.lower() in one["reason"].lower()]
    assert told, mistakes
    assert told[0]["line"] == line
    place = "/etc/wsmgr/plans.yaml" if mistakes[0]["line"] is None else f"plans.yaml, line {mistakes[0]['line']}: "
    assert place in refused.value.sentence


def test_every_mistake_is_told_at_once() -> None:
    """In the order of the lines; the sentence has the first and says how many there are."""
    with pytest.raises(InvalidPlans, match=r"line 3: cpus is 'x'.*\(The first of 3 mistakes\.\)") as refused:
        parse("plans:\n  PRO:\n    cpus: x\n    cpu: 1\nmore: 1\n", "f")
    assert [one["line"] for one in refused.value.details["mistakes"]] == [3, 4, 5]  # type: ignore[attr-defined]


@given(st.text(max_size=300) | st.text(st.sampled_from("plansFREE:{}[]&*!|>-? \n\t#'\"<0159.,"), max_size=200))
def test_no_text_does_anything_else(text: str) -> None:
    """Plans or a sentence, whatever it is."""
    try:
        names = list(parse(text, "f").plans)
    except InvalidPlans as refused:
        names = ["FREE"] if refused.details["mistakes"] else []
    assert "FREE" in names


RULES = frozenset({"js/vm", "py/dynamic-code", "syntax"})


def test_a_policy_is_a_plans_own_on_top_of_what_it_extends() -> None:
    """By rule; what is left out is as there, and the built-in plans have none."""
    text = (
        "plans:\n  A: {extends: B, policy: {js/vm: off}}\n  B: {policy: {js/vm: warning, syntax: warning}}\n"
        "noPlan:\n  policy:\n    py/dynamic-code: warning\n"
    )
    book = parse(text, "f", RULES)
    assert book.named("A").policy == {"js/vm": Severity.OFF, "syntax": Severity.WARNING}
    assert book.named("B").policy == {"js/vm": Severity.WARNING, "syntax": Severity.WARNING}
    assert book.named(None).policy == {"py/dynamic-code": Severity.WARNING}
    assert book.named("PRO").policy == {}


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("plans:\n  A:\n    policy:\n      js/vn: off\n", 4, "there is no rule 'js/vn'"),
        ("plans:\n  A:\n    policy:\n      js/vm: no\n", 4, "error, warning or off"),
        ("plans:\n  A:\n    policy: strict\n", 3, "must be a mapping"),
        ("plans:\n  A:\n    policy:\n      js/vm: [off]\n", 4, "error, warning or off"),
        ("plans:\n  FREE:\nnoPlan:\n  policy: {x: off}\n", 4, "there is no rule 'x'"),
    ],
)
def test_a_policy_that_is_wrong_has_its_line(text: str, line: int, why: str) -> None:
    """Rules that are not there, and severities that are none."""
    with pytest.raises(InvalidPlans) as caught:
        parse(text, "f", RULES)
    mistakes = caught.value.details["mistakes"]
    assert isinstance(mistakes, list)
    (mistake,) = mistakes
    assert mistake["line"] == line
    assert why in mistake["reason"]
