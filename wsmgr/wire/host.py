"""Figures of the host."""

from __future__ import annotations

from pydantic import Field

from wsmgr.wire.base import Response


class Host(Response):
    """One look at the host; null where it does not say. Memory and disk in MiB, `cpuPercent` over all cores.

    `engine` is the isolation that workspaces have. `engineVersion` (as `podman 4.3.1`) and `ociRuntime` (as `crun
    version 1.8.1`) are what it last said of itself: null until it has proven once what it can enforce, and where it is
    no container engine."""

    hostname: str
    kernel: str
    cpus: int
    memory_mb: int
    memory_available_mb: int
    load_average: list[float] = Field(default_factory=list)
    cpu_percent: float | None = None
    disk_free_mb: int | None = None
    cgroups: str | None = None
    engine: str | None = None
    engine_version: str | None = None
    oci_runtime: str | None = None
    workspaces: dict[str, int] = Field(default_factory=dict)
