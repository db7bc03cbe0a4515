"""Owners, with what was chosen for them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from wsmgr.wire.base import Request, Response
from wsmgr.wire.limits import Limits
from wsmgr.wire.names import Isolation, IsolationChoice
from wsmgr.wire.page import Page
from wsmgr.wire.plan import LimitChanges

PlanName = Annotated[str, Field(min_length=1, max_length=64)]


class Owner(Response):
    """`plan` null: no plan rules apply. `isolation`, `fallback` null: the daemon's own choice. `overrides` are the
    limits that differ from the plan's, `limits` what holds."""

    key: str
    plan: str | None = None
    isolation: Isolation | None = None
    fallback: bool | None = None
    overrides: dict[str, int | float | bool]
    limits: Limits


class OwnerPage(Page[Owner]):
    """Owners for whom something was chosen, or who have a workspace, by key."""


class PutOwner(Request):
    """Replaces all that was chosen: a member that is left out goes back to the daemon's own choice."""

    plan: PlanName | None = None
    isolation: IsolationChoice | None = None
    fallback: bool | None = None
    overrides: LimitChanges | None = None


class PatchOwner(Request):
    """Changes what is there: a member that is left out stays as it is, null goes back to the daemon's own choice. The
    same holds for each limit in `overrides`."""

    plan: PlanName | None = None
    isolation: IsolationChoice | None = None
    fallback: bool | None = None
    overrides: LimitChanges | None = None
