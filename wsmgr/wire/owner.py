"""Owners, with what was chosen for them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from wsmgr.wire.base import Request, Response
from wsmgr.wire.names import Isolation, IsolationChoice


class Owner(Response):
    """`plan` null: no plan rules apply. `isolation`, `fallback` null: the daemon's own choice."""

    key: str
    plan: str | None = None
    isolation: Isolation | None = None
    fallback: bool | None = None


class PutOwner(Request):
    """Replaces all that was chosen: a member that is left out goes back to the daemon's own choice."""

    plan: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    isolation: IsolationChoice | None = None
    fallback: bool | None = None
