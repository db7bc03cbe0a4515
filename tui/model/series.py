"""Usage over time as lines to draw, and as a sentence for one moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tui.model import format as say
from tui.model.downsample import Point
from wsmgr.wire.usage import Gauge, Usage, UsagePoint, UsageRange

RANGES: tuple[UsageRange, ...] = ("15m", "1h", "6h", "24h")
_SECONDS = {"15m": 900, "1h": 3_600, "6h": 21_600, "24h": 86_400}
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Drawn:
    """One line: its name, the name of its style, and its points, with gaps."""

    name: str
    style: str
    points: list[Point]

    @property
    def last(self) -> float | None:
        """The newest value."""
        return next((point.value for point in reversed(self.points) if point.value is not None), None)


@dataclass(frozen=True, slots=True)
class Series:
    """One graph. `limit` is drawn across when it is near enough to matter. `write` says a value for people."""

    title: str
    lines: list[Drawn]
    write: Callable[[float | None], str]
    limit: float | None = None

    @property
    def measured(self) -> bool:
        """Whether there is anything to draw."""
        return any(line.last is not None for line in self.lines)

    @property
    def top(self) -> float:
        """The highest value, or some height for a line at zero."""
        values = [point.value for line in self.lines for point in line.points if point.value is not None]
        return max(values, default=0.0)


def seconds_of(range_: str) -> int:
    """How long a range is."""
    return _SECONDS[range_]


def series_of(usage: Usage) -> list[Series]:
    """CPU, memory, network and executions."""
    points, step = usage.points, usage.step_s
    times = [one.at.timestamp() for one in points]
    memory_limit = next((one.memory_limit_mb.max for one in reversed(points) if one.memory_limit_mb), None)

    def line(name: str, style: str, read: Callable[[UsagePoint], float | None]) -> Drawn:
        return Drawn(name, style, _with_gaps(points, times, step, read))

    per_minute = 60 / step
    return [
        Series(
            "CPU",
            [
                line("most", "title", lambda one: _most(one.cpu_percent)),
                line("mean", "ok", lambda one: _mean(one.cpu_percent)),
            ],
            say.percent,
            _cpu_limit(points),
        ),
        Series(
            "Memory",
            [
                line("most", "title", lambda one: _most(one.memory_mb)),
                line("mean", "accent", lambda one: _mean(one.memory_mb)),
            ],
            say.mebibytes,
            memory_limit,
        ),
        Series(
            "Network/s",
            [
                line("in", "ok", lambda one: _mean(one.network_in_bytes_per_s)),
                line("out", "warm", lambda one: _mean(one.network_out_bytes_per_s)),
            ],
            say.size,
        ),
        Series(
            "Executions/min",
            [
                line("all", "accent", lambda one: one.executions * per_minute),
                line("errors", "bad", lambda one: one.errors * per_minute),
            ],
            say.count,
        ),
    ]


def _cpu_limit(points: Sequence[UsagePoint]) -> float | None:
    """The newest one, from what was used and what share of the limit that was."""
    for one in reversed(points):
        used, share = one.cpu_percent, one.cpu_of_limit_percent
        if used is not None and share is not None and share.avg > 0:
            return used.avg * 100 / share.avg
    return None


def restarts_in(usage: Usage) -> list[float]:
    """When a container ended and the next began, in seconds since the epoch."""
    return [one.at.timestamp() for one in usage.points if one.restarts]


def ticks(start: datetime, end: datetime) -> tuple[list[float], list[str]]:
    """Where the axis of time is labelled, in the operator's time zone."""
    first, last = start.timestamp(), end.timestamp()
    at = [first + (last - first) * number / _TICKS for number in range(_TICKS + 1)]
    return at, [f"{datetime.fromtimestamp(one).astimezone():%H:%M}" for one in at]


def readout(usage: Usage, number: int) -> str:
    """Everything about one bucket in a line."""
    one = usage.points[number]
    parts = [
        say.clock(one.at),
        f"CPU {_spread(one.cpu_percent, say.percent)}",
        f"mem {_spread(one.memory_mb, say.mebibytes)}",
        f"↓{say.size(_mean(one.network_in_bytes_per_s))} ↑{say.size(_mean(one.network_out_bytes_per_s))}",
        f"{say.plural(one.executions, 'call')}, {say.plural(one.errors, 'error')}",
    ]
    if one.p95_ms is not None:
        parts.append(f"p50 {say.milliseconds(one.p50_ms)} p95 {say.milliseconds(one.p95_ms)}")
    if one.throttled_percent is not None:
        parts.append(f"throttled {say.percent(one.throttled_percent.avg)}")
    if one.restarts:
        parts.append(say.plural(one.restarts, "restart"))
    if one.oom_kills:
        parts.append(say.plural(one.oom_kills, "OOM kill"))
    return " · ".join(parts)


def _spread(gauge: Gauge | None, write: Callable[[float | None], str]) -> str:
    return say.NOTHING if gauge is None else f"{write(gauge.avg)} (to {write(gauge.max)})"


def _mean(gauge: Gauge | None) -> float | None:
    return None if gauge is None else gauge.avg


def _most(gauge: Gauge | None) -> float | None:
    return None if gauge is None else gauge.max


def _with_gaps(
    points: Sequence[UsagePoint], times: Sequence[float], step: int, read: Callable[[UsagePoint], float | None]
) -> list[Point]:
    found: list[Point] = []
    for one, at in zip(points, times, strict=True):
        found.append(Point(at, read(one)))
        if one.gap_after:
            found.append(Point(at + step, None))
    return found
