"""Plans, and limits that differ from theirs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from wsmgr.wire.base import Request, Response, whole
from wsmgr.wire.limits import Limits
from wsmgr.wire.page import Page

MIB = 2**20


class LimitChanges(Request):
    """Limits of one owner that differ from its plan's. Null takes one back to the plan's.

    The bounds equal those of `wsmgr.core.limit_table`; a test of the API holds them together.
    """

    memory_mb: Annotated[int, Field(ge=32, le=2**20)] | None = None
    cpus: Annotated[float, Field(ge=0.01, le=1024)] | None = None
    max_concurrent_workspaces: Annotated[int, Field(ge=0, le=10_000)] | None = None
    idle_timeout_seconds: Annotated[int, Field(ge=0, le=31_536_000)] | None = None
    pause_after_seconds: Annotated[int, Field(ge=0, le=31_536_000)] | None = None
    pids: Annotated[int, Field(ge=16, le=32_768)] | None = None
    nofile: Annotated[int, Field(ge=64, le=2**20)] | None = None
    scratch_mb: Annotated[int, Field(ge=1, le=2**20)] | None = None
    data_mb: Annotated[int, Field(ge=0, le=2**20)] | None = None
    execution_timeout_ms: Annotated[int, Field(ge=1, le=86_400_000)] | None = None
    max_execution_timeout_ms: Annotated[int, Field(ge=1, le=86_400_000)] | None = None
    concurrent_executions: Annotated[int, Field(ge=1, le=256)] | None = None
    queue_length: Annotated[int, Field(ge=0, le=100_000)] | None = None
    queue_timeout_ms: Annotated[int, Field(ge=1, le=3_600_000)] | None = None
    async_queue_length: Annotated[int, Field(ge=0, le=100_000)] | None = None
    input_bytes: Annotated[int, Field(ge=1024, le=16 * MIB)] | None = None
    output_bytes: Annotated[int, Field(ge=1024, le=64 * MIB)] | None = None
    log_bytes: Annotated[int, Field(ge=0, le=16 * MIB)] | None = None
    plugin_bytes: Annotated[int, Field(ge=1024, le=32 * MIB)] | None = None
    plugin_files: Annotated[int, Field(ge=1, le=50_000)] | None = None
    plugin_space_mb: Annotated[int, Field(ge=1, le=2**20)] | None = None
    max_plugins: Annotated[int, Field(ge=0, le=100_000)] | None = None
    plugin_versions_kept: Annotated[int, Field(ge=1, le=10_000)] | None = None
    rate_per_second: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    rate_burst: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    restarts: Annotated[int, Field(ge=0, le=100)] | None = None
    restart_window_seconds: Annotated[int, Field(ge=1, le=86_400)] | None = None
    owner_memory_mb: Annotated[int, Field(ge=0, le=2**30)] | None = None
    owner_cpus: Annotated[float, Field(ge=0, le=2**20)] | None = None
    owner_pids: Annotated[int, Field(ge=0, le=2**30)] | None = None
    owner_scratch_mb: Annotated[int, Field(ge=0, le=2**30)] | None = None
    owner_concurrent_executions: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    require_enforced_limits: bool | None = None
    unrestricted_runtime: bool | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _whole(cls, value: object) -> object:
        return whole(value)


class Plan(Response):
    """A named set of limits."""

    name: str
    limits: Limits


class PlanPage(Page[Plan]):
    """All plans. `noPlan` holds for owners with no plan at all; `source` says where they are from: a file, or
    `built in`."""

    no_plan: Limits
    source: str
