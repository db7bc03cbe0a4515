"""The port over the kernel's files."""

from __future__ import annotations

import asyncio
import contextlib
import time
from concurrent.futures import Future
from pathlib import Path

from wsmgr.adapters.cgroup.chain import Chain, chain_of
from wsmgr.adapters.cgroup.counting import read_counters
from wsmgr.adapters.cgroup.finding import find
from wsmgr.adapters.cgroup.freezer import Freezer, asked_to_freeze
from wsmgr.adapters.cgroup.lane import Lane
from wsmgr.adapters.cgroup.limits import read_ceilings, write_ceilings
from wsmgr.adapters.cgroup.reclaim import take_back
from wsmgr.core.cgroup import Ceilings, Counters
from wsmgr.core.workspace import Running
from wsmgr.ports.cgroup import Group, GroupGone, GroupRefused


class KernelCgroups:
    """Implements ports.cgroup.Cgroups. `proc` and `cgroups` are where those file systems are mounted.

    Each kind of work has threads of its own, so that no thaw waits for a reclaim.
    """

    def __init__(self, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> None:
        self._proc = proc
        self._cgroups = cgroups
        self._freezer = Freezer()
        self._finding = Lane("find")
        self._limiting = Lane("limits", threads=2)
        self._reclaiming = Lane("reclaim")
        self._setting: dict[str, Future[Ceilings]] = {}

    async def find(self, running: Running, timeout_s: float) -> Group | None:
        """Looks behind /proc/<pid>/cgroup."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._finding.run(lambda: find(running, self._proc, self._cgroups))
        except TimeoutError:
            return None

    def ceilings(self, group: Group) -> Ceilings:
        """The lowest in its groups."""
        return read_ceilings(self._chain(group))

    def counters(self, group: Group) -> Counters:
        """Six files, three of them once more for each further group of the chain."""
        return read_counters(self._chain(group))

    def frozen(self, group: Group) -> bool:
        """Reads cgroup.freeze."""
        return asked_to_freeze(self._chain(group))

    async def apply(self, group: Group, ceilings: Ceilings, timeout_s: float) -> Ceilings:
        """Writes memory.max, memory.swap.max, cpu.max, pids.max; after whatever is still being written there."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._apply(group, ceilings)
        except TimeoutError:
            raise GroupRefused(f"The kernel did not set the limits within {timeout_s:g} s.") from None

    async def freeze(self, group: Group, timeout_s: float) -> None:
        """Writes cgroup.freeze and waits for cgroup.events."""
        await self._freezer.freeze(self._chain(group), timeout_s)

    async def thaw(self, group: Group, timeout_s: float) -> None:
        """Writes cgroup.freeze and waits for cgroup.events."""
        await self._freezer.thaw(self._chain(group), timeout_s)

    async def reclaim(self, group: Group, timeout_s: float) -> None:
        """Writes memory.reclaim."""
        deadline = time.monotonic() + timeout_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._reclaiming.run(lambda: take_back(self._chain(group), deadline))

    def close(self) -> None:
        """Threads in the middle of a write end with it."""
        self._freezer.close()
        for lane in (self._finding, self._limiting, self._reclaiming):
            lane.close()

    async def _apply(self, group: Group, ceilings: Ceilings) -> Ceilings:
        before = self._setting.get(group.path)
        if before is not None:
            # Nobody waits for it any more. Beside it older limits could be the last ones to be written.
            with contextlib.suppress(GroupGone, GroupRefused):
                await asyncio.wrap_future(before)
        setting = self._limiting.submit(lambda: write_ceilings(self._chain(group), ceilings))
        self._setting[group.path] = setting
        try:
            return await asyncio.wrap_future(setting)
        finally:
            if setting.done():
                del self._setting[group.path]

    def _chain(self, group: Group) -> Chain:
        return chain_of(group, self._cgroups)
