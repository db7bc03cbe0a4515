"""Figures of the whole host."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from wsmgr.ports.meter import HostUse


class Figures:
    """Keeps what the CPU times were at the look before. `place` is on the disk that is asked for."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._before: tuple[float, float] | None = None

    def read(self) -> HostUse:
        """One look."""
        memory = psutil.virtual_memory()
        disk = self._disk()
        return HostUse(
            cpu_percent=self._cpu_percent(),
            # What nobody else could have: page cache that can be dropped is not used.
            memory_used_bytes=memory.total - memory.available,
            memory_total_bytes=memory.total,
            disk_used_bytes=None if disk is None else disk[0],
            disk_total_bytes=None if disk is None else disk[1],
            load_average=os.getloadavg(),
        )

    def _cpu_percent(self) -> float | None:
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        # `user` and `nice` contain `guest` and `guest_nice` already.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        before, self._before = self._before, (idle, total)
        if before is None or total <= before[1]:
            return None
        return min(100.0, max(0.0, 100.0 * (1 - (idle - before[0]) / (total - before[1]))))

    def _disk(self) -> tuple[int, int] | None:
        """Used and total bytes; of the nearest folder above, where the place itself is not there yet."""
        place = next((one for one in (self._place, *self._place.parents) if one.exists()), Path("/"))
        try:
            usage = psutil.disk_usage(str(place))
        except OSError:
            return None
        return usage.used, usage.total
