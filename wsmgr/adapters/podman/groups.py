"""The probe container's control groups: found, counted, frozen. Only on a host with pure cgroups v2."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from wsmgr.adapters.podman.process import PROC

CGROUPS = Path("/sys/fs/cgroup")
_FREEZE_S = 2.0
_LOOK_EVERY_S = 0.002
_FILE_BYTES = 64 * 1024
_COUNTS = (("memory.events", "oom_kill"), ("pids.events", "max"), ("cpu.stat", "nr_throttled"))


def own_groups(pid: int, handle: str, proc: Path = PROC, cgroups: Path = CGROUPS) -> tuple[Path, ...]:
    """From the topmost group that bears the container's id down to the process' own; none on other hosts.

    Raises OSError when the process is gone.
    """
    membership = (proc / str(pid) / "cgroup").read_text()
    if not (cgroups / "cgroup.controllers").exists():
        return ()
    path = next((line[3:] for line in membership.splitlines() if line.startswith("0::")), "")
    parts = Path(path.lstrip("/")).parts
    first = next((count for count, part in enumerate(parts, start=1) if handle in part), len(parts) + 1)
    return tuple(cgroups.joinpath(*parts[:count]) for count in range(first, len(parts) + 1))


def read_value(file: Path) -> str | None:
    """The text of a group's file; None when it is not there."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        return os.read(descriptor, _FILE_BYTES).decode("ascii", "replace").strip()
    except OSError:
        return None
    finally:
        os.close(descriptor)


def read_counts(groups: Sequence[Path]) -> dict[str, int]:
    """What the kernel counted, by key: `oom_kill`, `max` (forks refused by pids.max), `nr_throttled`.

    The highest in the chain: throttling is counted where the quota sits, refused forks in the process' own group
    before Linux 6.11 and in those above it since.
    """
    counts: dict[str, int] = {}
    for group in groups:
        for name, key in _COUNTS:
            found = _table(read_value(group / name) or "").get(key)
            if found is not None:
                counts[key] = max(found, counts.get(key, 0))
    return counts


def try_freeze(group: Path, timeout_s: float = _FREEZE_S) -> str | None:
    """Freeze the group, see it stand still, thaw it. Why that did not work; None when it did. Blocks up to the time."""
    try:
        _write(group / "cgroup.freeze", b"1")
        deadline = time.monotonic() + timeout_s
        try:
            while _table(read_value(group / "cgroup.events") or "").get("frozen") != 1:
                if time.monotonic() > deadline:
                    return f"its processes did not stand still within {timeout_s:g} s"
                time.sleep(_LOOK_EVERY_S)
        finally:
            _write(group / "cgroup.freeze", b"0")
    except OSError as error:
        return f"cgroup.freeze could not be written: {error.strerror}"
    return None


def _write(file: Path, value: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.write(descriptor, value)
    finally:
        os.close(descriptor)


def _table(text: str) -> dict[str, int]:
    fields = (line.split() for line in text.splitlines())
    return {words[0]: int(words[1]) for words in fields if len(words) == 2 and words[1].isdecimal()}
