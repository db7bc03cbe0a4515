"""The statements about what was used, with the mappers of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, tuple_

from wsmgr.adapters.store.upsert import insert, upsert
from wsmgr.adapters.store.usage_tables import OWNER_USAGE, PARTS, USAGE_MARKS, USAGE_POINTS
from wsmgr.core.ids import OwnerKey, WorkspaceId
from wsmgr.core.series import Counts, Point, Spread
from wsmgr.core.usage import GAUGES, Mark, OwnerTotal, Share

_P = USAGE_POINTS.c
_FIRST_GAUGE = 3
"""The gauges' place among the columns of a point."""
_MANY = 500
"""So many keys go into one query."""


def put(
    connection: Connection,
    points: Sequence[tuple[WorkspaceId, Point]],
    totals: Sequence[OwnerTotal],
    marks: Sequence[Mark],
) -> None:
    """All of it; what is there already of the points stays as it is."""
    if points:
        new = insert(connection, USAGE_POINTS).on_conflict_do_nothing(index_elements=[_P.workspace, _P.at])
        connection.execute(new, [_point_values(workspace, point) for workspace, point in points])
    if totals:
        connection.execute(upsert(connection, OWNER_USAGE), [_total_values(total) for total in totals])
    if marks:
        connection.execute(upsert(connection, USAGE_MARKS), [asdict(mark) for mark in marks])


def points_of(connection: Connection, workspace: WorkspaceId, since: int) -> list[Point]:
    """Oldest first."""
    query = select(USAGE_POINTS).where(_P.workspace == workspace, _P.at >= since).order_by(_P.at)
    return [_point_from(row) for row in connection.execute(query)]


def totals_of(connection: Connection, owners: Sequence[OwnerKey]) -> list[OwnerTotal]:
    """Of those that have any."""
    found: list[OwnerTotal] = []
    for start in range(0, len(owners), _MANY):
        some = owners[start : start + _MANY]
        rows = connection.execute(select(OWNER_USAGE).where(OWNER_USAGE.c.owner.in_(some)))
        found += [_total_from(row) for row in rows]
    return found


def all_marks(connection: Connection) -> list[Mark]:
    """Of all workspaces."""
    rows = connection.execute(select(USAGE_MARKS)).mappings()
    return [Mark(**{**row, "workspace": WorkspaceId(row["workspace"])}) for row in rows]


def purge(connection: Connection, before: datetime, limit: int) -> int:
    """Points, and marks that nobody went on from; how many points."""
    connection.execute(delete(USAGE_MARKS).where(USAGE_MARKS.c.at < before))
    old = select(_P.workspace, _P.at).where(_P.at < int(before.timestamp())).order_by(_P.at).limit(limit)
    return connection.execute(delete(USAGE_POINTS).where(tuple_(_P.workspace, _P.at).in_(old))).rowcount


def _point_values(workspace: WorkspaceId, point: Point) -> dict[str, object]:
    values: dict[str, object] = {
        "workspace": workspace,
        "at": point.at,
        "samples": point.samples,
        **asdict(point.counts),
        "durations": point.durations,
    }
    for gauge, spread in zip(GAUGES, point.spreads, strict=True):
        for part in PARTS:
            values[f"{gauge}_{part}"] = None if spread is None else getattr(spread, part)
    return values


def _point_from(row: Row[Any]) -> Point:
    values = row[_FIRST_GAUGE : _FIRST_GAUGE + len(PARTS) * len(GAUGES)]
    each = zip(values[0::3], values[1::3], values[2::3], strict=True)
    return Point(
        at=row.at,
        samples=row.samples,
        spreads=tuple(None if least is None else Spread(least, mean, most) for least, mean, most in each),
        counts=Counts(row.oom_kills, row.executions, row.errors, row.restarts),
        durations=bytes(row.durations),
    )


def _total_values(total: OwnerTotal) -> dict[str, object]:
    return {"owner": total.owner, "since": total.since, **asdict(total.share)}


def _total_from(row: Row[Any]) -> OwnerTotal:
    share = Share(
        cpu_s=row.cpu_s,
        memory_mb_s=row.memory_mb_s,
        network_in_bytes=row.network_in_bytes,
        network_out_bytes=row.network_out_bytes,
        executions=row.executions,
        errors=row.errors,
    )
    return OwnerTotal(OwnerKey(row.owner), row.since, share)
