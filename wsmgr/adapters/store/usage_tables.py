"""The tables of what was used."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, Table
from sqlmodel import Field

from wsmgr.adapters.store.tables import KEY, METADATA, Row
from wsmgr.core.usage import GAUGES

PARTS = ("min", "avg", "max")

USAGE_POINTS = Table(
    "usage_points",
    METADATA,
    Column("workspace", KEY, primary_key=True),
    # Seconds since the epoch: points are on a grid.
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("samples", Integer, nullable=False),
    *(Column(f"{gauge}_{part}", Float, nullable=True) for gauge in GAUGES for part in PARTS),
    Column("oom_kills", Integer, nullable=False),
    Column("executions", Integer, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("restarts", Integer, nullable=False),
    Column("durations", LargeBinary, nullable=False),
    # For what deletes old ones.
    Index(None, "at"),
)
"""A minute of a workspace that ran, or part of one. A gauge is NULL where it was not measured; `durations` is the
packed sketch of core.sketch. Points outlive their workspace."""


class OwnerUsageRow(Row, table=True):
    """What an owner used in all."""

    __tablename__ = "owner_usage"

    owner: str = Field(primary_key=True, sa_type=KEY)
    since: datetime
    cpu_s: float
    memory_mb_s: float
    network_in_bytes: int = Field(sa_type=BigInteger)
    network_out_bytes: int = Field(sa_type=BigInteger)
    executions: int = Field(sa_type=BigInteger)
    errors: int = Field(sa_type=BigInteger)


class UsageMarkRow(Row, table=True):
    """How far a workspace was counted: the counters of its `incarnation` when they were last read, and totals."""

    __tablename__ = "usage_marks"

    workspace: str = Field(primary_key=True, sa_type=KEY)
    at: datetime = Field(index=True)
    incarnation: str
    cpu_s: float
    network_in_bytes: int = Field(sa_type=BigInteger)
    network_out_bytes: int = Field(sa_type=BigInteger)
    total_in_bytes: int = Field(sa_type=BigInteger)
    total_out_bytes: int = Field(sa_type=BigInteger)
    total_oom_kills: int = Field(sa_type=BigInteger)


OWNER_USAGE = METADATA.tables["owner_usage"]
USAGE_MARKS = METADATA.tables["usage_marks"]
