"""The statements about workspaces and their slots."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, bindparam, delete, func, select, update

from wsmgr.adapters.store.rows import workspace_from
from wsmgr.adapters.store.tables import SLOTS, WORKSPACES
from wsmgr.core.errors import Conflict, NotFound
from wsmgr.core.ids import WorkspaceId, owner_of
from wsmgr.core.workspace import Desired, Workspace

_C = WORKSPACES.c


def all_workspaces(connection: Connection) -> list[Workspace]:
    """By id."""
    return [workspace_from(row) for row in connection.execute(_with_slots().order_by(_C.id))]


def ensure(connection: Connection, workspace: WorkspaceId, desired: Desired, now: datetime) -> Workspace:
    """The stored one, or a new one with the lowest free slot."""
    stored = _find(connection, workspace)
    if stored is not None:
        return stored
    if connection.dialect.name == "postgresql":
        # Two processes would pick the same slot; SQLite's transaction has locked the whole file already.
        connection.exec_driver_sql("LOCK TABLE slots IN SHARE ROW EXCLUSIVE MODE")
        stored = _find(connection, workspace)
        if stored is not None:
            return stored
    new = Workspace(
        id=workspace,
        owner=owner_of(workspace),
        desired=desired,
        slot=_lowest_free_slot(connection),
        generation=0,
        created_at=now,
        last_activity_at=now,
    )
    connection.execute(
        WORKSPACES.insert().values(
            id=new.id,
            owner=new.owner,
            desired=new.desired.value,
            generation=new.generation,
            created_at=now,
            last_activity_at=now,
        )
    )
    connection.execute(SLOTS.insert().values(slot=new.slot, workspace=new.id))
    return new


def replace(connection: Connection, workspace: Workspace) -> None:
    """Write desired, generation, last activity and failure. Raises NotFound."""
    statement = update(WORKSPACES).where(_C.id == workspace.id)
    result = connection.execute(
        statement.values(
            desired=workspace.desired.value,
            generation=workspace.generation,
            last_activity_at=workspace.last_activity_at,
            failure=workspace.failure,
        )
    )
    if result.rowcount == 0:
        raise NotFound(f"There is no workspace {workspace.id}.")


def hold(connection: Connection, workspace: WorkspaceId, volume: str | None) -> None:
    """Write which volume it holds. Raises Conflict, NotFound."""
    if volume is not None:
        holder = connection.execute(select(_C.id).where(_C.volume == volume, _C.id != workspace)).scalar_one_or_none()
        if holder is not None:
            raise Conflict(f"The volume {volume} is held by the workspace {holder}.")
    result = connection.execute(update(WORKSPACES).where(_C.id == workspace).values(volume=volume))
    if result.rowcount == 0:
        raise NotFound(f"There is no workspace {workspace}.")


def touch(connection: Connection, activity: Sequence[tuple[WorkspaceId, datetime]]) -> None:
    """Write the last activity of those that are stored."""
    if activity:
        statement = update(WORKSPACES).where(_C.id == bindparam("touched")).values(last_activity_at=bindparam("at"))
        connection.execute(statement, [{"touched": workspace, "at": at} for workspace, at in activity])


def forget(connection: Connection, workspace: WorkspaceId) -> None:
    """Delete it; its slot goes with it."""
    connection.execute(delete(WORKSPACES).where(_C.id == workspace))


def _with_slots() -> Select[tuple[object, ...]]:
    return select(WORKSPACES, SLOTS.c.slot).join(SLOTS, SLOTS.c.workspace == _C.id)


def _find(connection: Connection, workspace: WorkspaceId) -> Workspace | None:
    row = connection.execute(_with_slots().where(_C.id == workspace)).one_or_none()
    return None if row is None else workspace_from(row)


def _lowest_free_slot(connection: Connection) -> int:
    """0, or the smallest number after a taken one that is not taken itself."""
    if connection.execute(select(SLOTS.c.slot).where(SLOTS.c.slot == 0)).one_or_none() is None:
        return 0
    after = SLOTS.alias("after")
    query = (
        select(func.min(SLOTS.c.slot + 1))
        .select_from(SLOTS.outerjoin(after, after.c.slot == SLOTS.c.slot + 1))
        .where(after.c.slot.is_(None))
    )
    return int(connection.execute(query).scalar_one())
