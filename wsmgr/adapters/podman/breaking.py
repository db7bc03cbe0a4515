"""Looks on while the breaking probe works: its report, and what the kernel counted meanwhile."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

from wsmgr.adapters.podman.breaker import REPORT
from wsmgr.adapters.podman.groups import CGROUPS, own_groups, read_counts
from wsmgr.adapters.podman.process import PROC, start_ticks
from wsmgr.adapters.podman.trial import Report, Trial, parse_report

_REPORT_BYTES = 4096
_LOOK_EVERY_S = 0.02


async def watch_breaker(
    pid: int, handle: str, timeout_s: float, *, proc: Path = PROC, cgroups: Path = CGROUPS
) -> Trial:
    """Wait for the whole report of the container with this main process; what there is after the time-out or its end.

    Raises nothing: what goes wrong is `unfinished`.
    """
    try:
        groups = own_groups(pid, handle, proc, cgroups)
        # Through this descriptor it stays the same container's, whoever gets the pid.
        folder = os.open(proc / str(pid) / "root/tmp", os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        return Trial(unfinished=f"its /tmp is out of reach: {error.strerror}")
    try:
        report, why = await _reported(folder, pid, timeout_s, proc)
    except (OSError, ValueError) as error:
        report, why = Report(), f"its report cannot be read: {error}"
    finally:
        os.close(folder)
    return Trial(report, read_counts(groups), why)


async def _reported(folder: int, pid: int, timeout_s: float, proc: Path) -> tuple[Report, str | None]:
    clock = asyncio.get_running_loop().time
    deadline = clock() + timeout_s
    while True:
        lives = start_ticks(pid, proc) is not None
        report = _read(folder)
        if report.done:
            return report, None
        if not lives:
            return report, "its main process ended"
        if clock() > deadline:
            return report, f"it took longer than {timeout_s:g} s"
        await asyncio.sleep(_LOOK_EVERY_S)


def _read(folder: int) -> Report:
    """The report so far. Raises OSError and ValueError when something else is in its place."""
    try:
        descriptor = os.open(REPORT, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return Report()
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            message = "it is no file"
            raise ValueError(message)
        data = os.read(descriptor, _REPORT_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > _REPORT_BYTES:
        message = f"it has more than {_REPORT_BYTES} bytes"
        raise ValueError(message)
    return parse_report(data)
