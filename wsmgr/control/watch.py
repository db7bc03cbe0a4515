"""What is remembered of one workspace's use: the last reading, the newest samples, and what is told of it now."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from wsmgr.control.tally import Runs
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.limits import MIB, Limits
from wsmgr.core.samples import Samples
from wsmgr.core.series import Counts
from wsmgr.core.sketch import pack, quantile
from wsmgr.core.usage import GAUGES, Current, Gauges, Mark, Reading, Share, Spent, gauges, spent
from wsmgr.core.workspace import Exited

MINUTE_S = 60
NOTHING: Gauges = (None,) * len(GAUGES)
QUIET = Counts()
SLACK_S = 2.0
"""Engines tell the start of a container in whole seconds."""


@dataclass(frozen=True, slots=True)
class Look:
    """One sweep. `slot`: the time that it is about, in periods of `period_s` since the epoch. `elapsed_s`: seconds
    since the sweep before; None: there was none."""

    slot: int
    period_s: int
    at: datetime
    mono: float
    elapsed_s: float | None


@dataclass(frozen=True, slots=True)
class Seen:
    """One workspace at one look. `reading` None: it does not run. `age_s`: seconds since its container was started.
    `failures` counts since the daemon's start, `generation` the restarts that were asked for."""

    reading: Reading | None
    age_s: float
    limits: Limits
    runs: Runs | None
    failures: int
    generation: int
    last_exit: Exited | None


@dataclass(slots=True)
class _Totals:
    """Over all restarts; None: never measured."""

    received: int | None = None
    sent: int | None = None
    oom_kills: int | None = None


class Watch:
    """One workspace. `samples` None: it has not run in the time for which they are kept."""

    def __init__(self, mark: Mark | None) -> None:
        self.samples: Samples | None = None
        self.current = Current()
        self._reading: Reading | None = None
        self._read_at: float | None = None
        self._totals = _Totals()
        self._failures = 0
        self._generation: int | None = None
        self._last_exit: Exited | None = None
        # With their slots: those of the last minute.
        self._recent: deque[tuple[int, Runs]] = deque()
        if mark is not None:
            self._go_on_from(mark)

    def take(self, look: Look, seen: Seen, length: int) -> Share | None:
        """Take a look in; `length` is how many samples are kept. Returns what its owner is to be counted for, None:
        nothing."""
        reading = seen.reading
        counts = self._counts(seen)
        if reading is None:
            used, elapsed_s, values = Spent(), None, NOTHING
        else:
            used, elapsed_s = spent(self._reading, reading), self._elapsed(look, seen, reading)
            values = gauges(reading, used, elapsed_s, seen.limits)
            if used.oom_kills:
                counts += Counts(oom_kills=used.oom_kills)
        happened = reading is not None or counts != QUIET
        if happened:
            if self.samples is None:
                self.samples = Samples(length, look.period_s)
            self.samples.put(look.slot, values, counts, b"" if seen.runs is None else pack(seen.runs.durations))
        self._remember(look, seen, used, counts)
        self._tell(values)
        return _share(reading, used, elapsed_s, counts) if happened else None

    def mark(self, workspace: WorkspaceId, at: datetime, since: float | None) -> Mark | None:
        """How far it has been counted; None: it was not read after `since`, on the monotonic clock."""
        reading = self._reading
        if reading is None or self._read_at is None or (since is not None and self._read_at <= since):
            return None
        return Mark(
            workspace=workspace,
            at=at,
            incarnation=reading.incarnation,
            cpu_s=reading.cpu_s or 0.0,
            network_in_bytes=reading.network_in_bytes or 0,
            network_out_bytes=reading.network_out_bytes or 0,
            total_in_bytes=self._totals.received or 0,
            total_out_bytes=self._totals.sent or 0,
            total_oom_kills=self._totals.oom_kills or 0,
        )

    def forget_samples(self, before: int) -> None:
        """Let go of the samples when all are of slots before that one."""
        if self.samples is not None and self.samples.newest < before:
            self.samples = None

    def _go_on_from(self, mark: Mark) -> None:
        self._reading = Reading(
            incarnation=mark.incarnation,
            cpu_s=mark.cpu_s,
            network_in_bytes=mark.network_in_bytes,
            network_out_bytes=mark.network_out_bytes,
        )
        self._totals = _Totals(mark.total_in_bytes, mark.total_out_bytes, mark.total_oom_kills)

    def _elapsed(self, look: Look, seen: Seen, reading: Reading) -> float | None:
        """In how many seconds it was used; None: that cannot be said, and there are no rates."""
        before = self._reading
        if before is not None and before.incarnation == reading.incarnation:
            return None if self._read_at is None else look.mono - self._read_at
        started_since = look.elapsed_s is not None and seen.age_s <= look.elapsed_s + SLACK_S
        return look.elapsed_s if started_since else None

    def _counts(self, seen: Seen) -> Counts:
        """What happened, but for what its group counted."""
        failed = seen.failures - self._failures
        asked = 0 if self._generation is None else seen.generation - self._generation
        if seen.runs is None and not failed and not asked:
            return QUIET
        return Counts(
            oom_kills=self._uncounted_oom(seen),
            executions=0 if seen.runs is None else seen.runs.executions,
            errors=0 if seen.runs is None else seen.runs.errors,
            restarts=max(0, asked) + max(0, failed),
        )

    def _uncounted_oom(self, seen: Seen) -> int:
        """1 when its container has ended for lack of memory and its group had not counted that when it was read."""
        ended = seen.last_exit
        if ended is None or ended is self._last_exit or not ended.oom_killed:
            return 0
        return 0 if self._reading is not None and self._reading.oom_kills else 1

    def _remember(self, look: Look, seen: Seen, used: Spent, counts: Counts) -> None:
        totals = self._totals
        totals.received = _added(totals.received, used.network_in_bytes)
        totals.sent = _added(totals.sent, used.network_out_bytes)
        totals.oom_kills = _added(totals.oom_kills, counts.oom_kills or used.oom_kills)
        self._failures, self._generation, self._last_exit = seen.failures, seen.generation, seen.last_exit
        if seen.reading is not None:
            self._reading, self._read_at = seen.reading, look.mono
        if seen.runs is not None:
            self._recent.append((look.slot, seen.runs))
        while self._recent and self._recent[0][0] <= look.slot - MINUTE_S // look.period_s:
            self._recent.popleft()

    def _tell(self, values: Gauges) -> None:
        cpu, cpu_of_limit, memory, memory_limit, received, sent, pids, throttled, scratch = values
        durations: dict[int, int] = {}
        for _, runs in self._recent:
            for bucket, count in runs.durations.items():
                durations[bucket] = durations.get(bucket, 0) + count
        told = Current(
            memory_mb=_rounded(memory, 1),
            cpu_percent=_rounded(cpu, 1),
            network_in_bytes=self._totals.received,
            network_out_bytes=self._totals.sent,
            memory_limit_mb=memory_limit,
            cpu_of_limit_percent=_rounded(cpu_of_limit, 1),
            network_in_bytes_per_s=_rounded(received, 0),
            network_out_bytes_per_s=_rounded(sent, 0),
            pids=None if pids is None else int(pids),
            throttled_percent=_rounded(throttled, 1),
            scratch_mb=_rounded(scratch, 1),
            oom_kills=self._totals.oom_kills,
            executions_per_min=float(sum(runs.executions for _, runs in self._recent)),
            errors_per_min=float(sum(runs.errors for _, runs in self._recent)),
            p50_ms=_duration(durations, 0.5) if durations else None,
            p95_ms=_duration(durations, 0.95) if durations else None,
        )
        # The same object as long as nothing is different: to compare it then costs nothing.
        if told != self.current:
            self.current = told


def _share(reading: Reading | None, used: Spent, elapsed_s: float | None, counts: Counts) -> Share:
    memory = 0 if reading is None or reading.memory_bytes is None else reading.memory_bytes
    return Share(
        cpu_s=used.cpu_s or 0.0,
        memory_mb_s=memory / MIB * (elapsed_s or 0.0),
        network_in_bytes=used.network_in_bytes or 0,
        network_out_bytes=used.network_out_bytes or 0,
        executions=counts.executions,
        errors=counts.errors,
    )


def _added(total: int | None, more: int | None) -> int | None:
    return total if more is None else (total or 0) + more


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _duration(durations: dict[int, int], share: float) -> float | None:
    """Three digits: more are not known of it."""
    found = quantile(durations, share)
    return None if found is None else float(f"{found:.3g}")
