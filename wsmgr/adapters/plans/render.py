"""Plans as the text of a plans file, from which an operator can start."""

from __future__ import annotations

from collections.abc import Iterator

from wsmgr.core.limit_table import BY_NAME, LimitValue, named_limits
from wsmgr.core.limits import Limits
from wsmgr.core.plans import PlanBook

_HEAD = """\
# Plans of wsmgr. `wsmgr plan check FILE` says whether this file can be used; `wsmgr plan reload`, or SIGHUP to the
# daemon, has it read again. What a plan leaves out is as built in (a new plan: as FREE), unless it says
# `extends: OTHER`. An owner limit of 0 is maxConcurrentWorkspaces times the workspace's own.
"""


def render(book: PlanBook) -> str:
    """Every limit of every plan; the first plan says what each one is."""
    return "\n".join(_lines(book)) + "\n"


def _lines(book: PlanBook) -> Iterator[str]:
    yield _HEAD + "plans:"
    for number, plan in enumerate(book.plans.values()):
        yield f"  {plan.name}:"
        yield from (f"    {line}" for line in _limits(plan.limits, explained=number == 0))
    yield "\n# For owners with no plan at all.\nnoPlan:"
    yield from (f"  {line}" for line in _limits(book.no_plan.limits, explained=False))


def _limits(limits: Limits, *, explained: bool) -> Iterator[str]:
    for name, value in named_limits(limits).items():
        member = f"{name}: {_text(value)}"
        yield f"{member.ljust(36)}# {BY_NAME[name].about}" if explained else member


def _text(value: LimitValue) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:.15g}"
