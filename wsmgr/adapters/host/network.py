"""Bytes over the interfaces of a network namespace (proc(5), `/proc/<pid>/net/dev`)."""

from __future__ import annotations

import os
from dataclasses import dataclass

from wsmgr.adapters.host.procfs import read


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes over all `interfaces` (so many) but the loopback, which nothing leaves by."""

    interfaces: int
    received: int
    sent: int


NO_TRAFFIC = Traffic(0, 0, 0)
"""There is no interface but the loopback."""


def traffic(proc: str, pid: int) -> Traffic | None:
    """What went over them so far; None when it cannot be read."""
    text = read(f"{proc}/{pid}/net/dev")
    return None if text is None else parse(text)


def parse(text: bytes) -> Traffic:
    """The file's two columns of bytes, added up."""
    interfaces = received = sent = 0
    for line in text.splitlines()[2:]:
        name, colon, counters = line.partition(b":")
        if not colon or name.strip() == b"lo":
            continue
        fields = counters.split()
        interfaces += 1
        received += int(fields[0])
        sent += int(fields[8])
    return Traffic(interfaces, received, sent)


def has_own(proc: str, pid: int) -> bool:
    """Whether the process has another network namespace than ours: else the host's traffic would be taken for its."""
    try:
        return os.stat(f"{proc}/{pid}/ns/net").st_ino != os.stat(f"{proc}/self/ns/net").st_ino  # noqa: PTH116
    except OSError:
        return False
