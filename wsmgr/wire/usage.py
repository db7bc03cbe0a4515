"""What workspaces and owners use, over time."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from wsmgr.wire.base import Response

UsageRange = Literal["15m", "1h", "6h", "24h"]
"""How far back. 15 minutes come from samples of 5 s, the others from roll-ups of one minute."""

DEFAULT_POINTS = 240
MAX_POINTS = 2000


class Gauge(Response):
    """What was seen of a quantity within a bucket: the least, the mean by time, the most."""

    min: float
    avg: float
    max: float


class UsagePoint(Response):
    """One bucket of time: from `at` on, for the `stepS` seconds of its page.

    A bucket in which nothing was sampled is not in the list; `gapAfter` is true on the point before such a hole, so a
    line is to be broken there. A gauge is null where it was not measured in this bucket: this host cannot say, there is
    no limit to compare with, it did not run, or (rates) the daemon has just taken it over. The counts `oomKills`,
    `executions`, `errors` and `restarts` are those that fell into the bucket; `restarts`: containers that failed or
    were to be replaced. `p50Ms`, `p95Ms`: how long plugins ran, within 5 %; null when none ran.

    `cpuPercent`: 100 is one core. `cpuOfLimitPercent`: 100 is all that the plan allows. `memoryMb`: the working set (no
    page cache that can be dropped) in MiB. `throttledPercent`: for how much of the time its CPU limit made it
    wait. `scratchMb`: what lies in `/tmp`, in MiB.
    """

    at: AwareDatetime
    gap_after: bool = False
    cpu_percent: Gauge | None = None
    cpu_of_limit_percent: Gauge | None = None
    memory_mb: Gauge | None = None
    memory_limit_mb: Gauge | None = None
    network_in_bytes_per_s: Gauge | None = None
    network_out_bytes_per_s: Gauge | None = None
    pids: Gauge | None = None
    throttled_percent: Gauge | None = None
    scratch_mb: Gauge | None = None
    oom_kills: int = 0
    executions: int = 0
    errors: int = 0
    restarts: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None


class Usage(Response):
    """What a workspace used in a range of time, oldest first. Buckets begin at whole multiples of `stepS` since the
    epoch, so the points of two answers with the same step are the same buckets; the newest one may still be filling.
    `from` is where the first bucket begins and `to` where the newest ends, whether there is anything in it or not."""

    range: UsageRange
    step_s: int
    from_: AwareDatetime = Field(validation_alias="from", serialization_alias="from")
    to: AwareDatetime
    points: list[UsagePoint]


class OwnerUsage(Response):
    """What all workspaces of an owner used since `since` (null: nothing yet), those that are gone too. `cpuSeconds`:
    seconds of one core. `memoryMbSeconds`: MiB held, times seconds. A daemon that is killed loses the last minute."""

    key: str
    since: AwareDatetime | None = None
    cpu_seconds: float = 0.0
    memory_mb_seconds: float = 0.0
    network_in_bytes: int = 0
    network_out_bytes: int = 0
    executions: int = 0
    errors: int = 0
