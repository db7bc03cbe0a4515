"""Processes as they descend from one another, and what a whole tree of them uses (proc(5), `/proc/<pid>/stat`)."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from wsmgr.adapters.host.procfs import pids, read

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
SMALL = 1024 * 1024
"""What of a process smaller than this (an init, mostly) is shared is not worth another file to read."""
WHOLE = 12
"""Every so many looks nothing is left out."""


class Process(NamedTuple):
    """`ticks`: CPU time, its own and that of the children that it has waited for. `start` in ticks since boot;
    `resident` in bytes. A tuple, because thousands are made in a sweep."""

    pid: int
    parent: int
    ticks: int
    threads: int
    start: int
    resident: int


@dataclass(frozen=True, slots=True)
class TreeUse:
    """CPU time in seconds, memory of their own in bytes, and threads of all processes together."""

    cpu_s: float
    memory_bytes: int
    tasks: int


def parse(stat: bytes) -> Process | None:
    """One `stat` file; None for what is dead. The command, in parentheses, may contain anything, also those."""
    end = stat.rfind(b")")
    fields = stat[end + 2 :].split(None, 22)
    if end < 0 or len(fields) < 22 or fields[0] == b"X":
        return None
    ticks = int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])
    pid, parent, threads, start, pages = stat[: stat.index(b" ")], fields[1], fields[17], fields[19], fields[21]
    return Process(int(pid), int(parent), ticks, int(threads), int(start), int(pages) * _PAGE)


def process(proc: str, pid: int) -> Process | None:
    """One process; None when it is gone."""
    stat = read(f"{proc}/{pid}/stat")
    return None if stat is None else parse(stat)


class Processes:
    """The processes of the host, looked at again and again.

    A container's first process adopts what loses its parent in there, so its descendants are all that runs in it.
    What was no descendant of anybody who was asked for is left out of the next looks, but for each WHOLE-th: it cannot
    become one, unless its pid is given to another process meanwhile.
    """

    def __init__(self, proc: str) -> None:
        self._proc = proc
        self._all: dict[int, Process] = {}
        self._children: dict[int, list[int]] = {}
        self._members: set[int] = set()
        self._others: set[int] = set()
        self._looks = 0

    def look(self, mains: Collection[int]) -> None:
        """See what there is now; `mains` are the processes whose trees will be asked for."""
        whole = self._looks % WHOLE == 0 or not self._others.isdisjoint(mains)
        self._looks += 1
        others = set() if whole else self._others
        self._all, self._children, self._members = {}, {}, set()
        present = pids(self._proc)
        for pid in present:
            one = None if pid in others else process(self._proc, pid)
            if one is not None:
                self._all[pid] = one
                self._children.setdefault(one.parent, []).append(pid)
        self._others = set(present)

    def find(self, pid: int) -> Process | None:
        """One of them, as the last look saw it."""
        return self._all.get(pid)

    def use(self, main: Process) -> TreeUse:
        """What a process and its descendants use. What a child used that ended a moment ago is its parent's now."""
        ticks = memory = tasks = 0
        for one in self._tree(main):
            ticks += one.ticks
            tasks += one.threads
            memory += one.resident if one.resident < SMALL else self._memory(one.pid)
        return TreeUse(ticks * _TICK_S, memory, tasks)

    def _tree(self, main: Process) -> Iterator[Process]:
        todo = [main.pid]
        while todo:
            pid = todo.pop()
            # A pid that was given anew during the look may seem to be its own ancestor.
            if pid in self._members:
                continue
            self._members.add(pid)
            self._others.discard(pid)
            yield self._all[pid]
            todo += self._children.get(pid, ())

    def _memory(self, pid: int) -> int:
        """What is resident and not shared. Pages of files (the runtime's program, above all) are left out: all
        workspaces share them. So is what lies in a tmpfs, which is counted as scratch."""
        statm = read(f"{self._proc}/{pid}/statm")
        if not statm:
            return 0
        fields = statm.split()
        return max(0, int(fields[1]) - int(fields[2])) * _PAGE
