"""Owners and plans, for administrators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fastapi import APIRouter

from wsmgr.api import mapping
from wsmgr.api.context import Actor, Before, DaemonOf, Limit, OwnerPath, StrictJsonRoute, problems
from wsmgr.core.ids import parse_owner_key
from wsmgr.core.isolation import parse_isolation
from wsmgr.core.limit_table import LimitValue
from wsmgr.core.owner import Owner
from wsmgr.core.plans import PlanBook
from wsmgr.wire.owner import Owner as WireOwner
from wsmgr.wire.owner import OwnerPage, PatchOwner, PutOwner
from wsmgr.wire.plan import LimitChanges, PlanPage

router = APIRouter(prefix="/api", tags=["owners"], route_class=StrictJsonRoute)


@router.get("/owners", responses=problems())
async def list_owners(daemon: DaemonOf, limit: Limit = 100, before: Before = None) -> OwnerPage:
    """A page of the owners for whom something was chosen, or who have a workspace, by key."""
    found = await daemon.owners.page(before or "", limit)
    following = found[-1].key if len(found) == limit else None
    return OwnerPage(items=[mapping.owner(daemon, owner) for owner in found], next=following)


@router.get("/owners/{key}", responses=problems())
async def get_owner(daemon: DaemonOf, key: OwnerPath) -> WireOwner:
    """What was chosen for an owner; the daemon's own choices where nothing was."""
    return mapping.owner(daemon, await daemon.owners.get(parse_owner_key(key)))


@router.put("/owners/{key}", responses=problems())
async def put_owner(daemon: DaemonOf, actor: Actor, key: OwnerPath, body: PutOwner) -> WireOwner:
    """Choose for an owner, all at once. What cannot change in a running workspace follows at its next idle moment."""
    owner = _edited(Owner(parse_owner_key(key)), body, set(PutOwner.model_fields), daemon.plans.book)
    return mapping.owner(daemon, await daemon.owners.put(owner, actor))


@router.patch("/owners/{key}", responses=problems())
async def patch_owner(daemon: DaemonOf, actor: Actor, key: OwnerPath, body: PatchOwner) -> WireOwner:
    """Change some of what was chosen for an owner; running workspaces follow as with PUT."""
    given, book = body.model_fields_set, daemon.plans.book
    owner = await daemon.owners.change(parse_owner_key(key), lambda before: _edited(before, body, given, book), actor)
    return mapping.owner(daemon, owner)


@router.get("/plans", responses=problems())
async def plans(daemon: DaemonOf) -> PlanPage:
    """All plans with their limits."""
    return mapping.plans(daemon.plans.book)


@router.post("/plans/reload", responses=problems())
async def reload(daemon: DaemonOf, actor: Actor) -> PlanPage:
    """Read the plans file anew. One that cannot be used is refused with line and reason, and the plans stay."""
    return mapping.plans(await daemon.owners.reload(actor))


def _edited(owner: Owner, body: PutOwner | PatchOwner, given: set[str], book: PlanBook) -> Owner:
    """The owner with the members of the body that were given."""
    if "plan" in given:
        # An unknown plan is FREE: it is stored as what it is taken for, and the answer says so.
        owner = replace(owner, plan=None if body.plan is None else book.named(body.plan).name)
    if "isolation" in given:
        owner = replace(owner, isolation=None if body.isolation is None else parse_isolation(body.isolation))
    if "fallback" in given:
        owner = replace(owner, fallback=body.fallback)
    if "overrides" in given:
        owner = replace(owner, overrides=_overrides(owner.overrides, body.overrides))
    return owner


def _overrides(before: Mapping[str, LimitValue], changes: LimitChanges | None) -> dict[str, LimitValue]:
    """The overrides with the changes: null takes one away, and no changes at all take all away."""
    if changes is None:
        return {}
    merged = {**before, **changes.model_dump(exclude_unset=True)}
    return {name: value for name, value in merged.items() if value is not None}
