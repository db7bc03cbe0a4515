"""What was used, to JSON: straight, since a model for each of thousands of gauges would take longer than all else."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import orjson

from wsmgr.control.usage import Series
from wsmgr.core.ids import OwnerKey
from wsmgr.core.series import Bucket, Spread
from wsmgr.core.sketch import merged, quantile
from wsmgr.core.usage import GAUGES, OwnerTotal
from wsmgr.wire.usage import OwnerUsage, UsagePoint, UsageRange

SECONDS: dict[UsageRange, int] = {"15m": 900, "1h": 3600, "6h": 6 * 3600, "24h": 24 * 3600}
AT_ONCE = 50
"""So many points are worked out before others get their turn: about a millisecond."""
_NAMES = tuple(UsagePoint.model_fields[gauge].alias or gauge for gauge in GAUGES)


async def usage(range_: UsageRange, series: Series) -> bytes:
    """The members of `wire.Usage`; a test holds the two together."""
    of, points = series.window, []
    for bucket in series.buckets:
        points.append(_point(bucket))
        if len(points) % AT_ONCE == 0:
            await asyncio.sleep(0)
    return orjson.dumps(
        {
            "range": range_,
            "stepS": of.step_s,
            "from": _time(of.start),
            "to": _time(of.end),
            "points": points,
        },
        option=orjson.OPT_UTC_Z,
    )


def owner_usage(key: OwnerKey, total: OwnerTotal | None) -> OwnerUsage:
    """What an owner used in all."""
    if total is None:
        return OwnerUsage(key=key)
    share = total.share
    return OwnerUsage(
        key=key,
        since=total.since,
        cpu_seconds=round(share.cpu_s, 3),
        memory_mb_seconds=round(share.memory_mb_s, 3),
        network_in_bytes=share.network_in_bytes,
        network_out_bytes=share.network_out_bytes,
        executions=share.executions,
        errors=share.errors,
    )


def _point(bucket: Bucket) -> dict[str, Any]:
    point = bucket.point
    durations = merged([point.durations])
    return {
        "at": _time(point.at),
        "gapAfter": bucket.gap_after,
        **{name: _gauge(spread) for name, spread in zip(_NAMES, point.spreads, strict=True)},
        "oomKills": point.counts.oom_kills,
        "executions": point.counts.executions,
        "errors": point.counts.errors,
        "restarts": point.counts.restarts,
        "p50Ms": _duration(durations, 0.5),
        "p95Ms": _duration(durations, 0.95),
    }


def _gauge(spread: Spread | None) -> dict[str, float] | None:
    if spread is None:
        return None
    return {"min": round(spread.min, 3), "avg": round(spread.avg, 3), "max": round(spread.max, 3)}


def _duration(durations: dict[int, int], share: float) -> float | None:
    found = quantile(durations, share)
    return None if found is None else float(f"{found:.3g}")


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
