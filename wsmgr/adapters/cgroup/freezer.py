"""Freezing and thawing: asked by cgroup.freeze, answered by cgroup.events."""

from __future__ import annotations

import asyncio
import contextlib

from wsmgr.adapters.cgroup.chain import Chain
from wsmgr.adapters.cgroup.folder import Folder
from wsmgr.adapters.cgroup.lane import Lane
from wsmgr.adapters.cgroup.values import number, table
from wsmgr.ports.cgroup import GroupGone, GroupRefused

_FREEZE = "cgroup.freeze"
_FIRST_LOOK_S, _LONGEST_PAUSE_S = 0.0005, 0.02
_UNDO_S = 5.0
"""How long a freeze that failed waits for its thaw, beyond its own time."""


class Freezer:
    """One thread writes for all groups: writers wait for one lock of the kernel anyway, and an undo can so never
    overtake what it undoes."""

    def __init__(self) -> None:
        self._lane = Lane("freezer")

    def close(self) -> None:
        """Drop what waits."""
        self._lane.close()

    async def freeze(self, chain: Chain, timeout_s: float) -> None:
        """As the port says."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._lane.run(lambda: chain.top.write(_FREEZE, "1"))
                await _until_frozen(chain.top)
        except TimeoutError:
            await self._undo(chain)
            raise GroupRefused(
                f"{_FREEZE}: not every process stood still within {timeout_s:g} s; they go on."
            ) from None
        except BaseException:
            await self._undo(chain)
            raise

    async def thaw(self, chain: Chain, timeout_s: float) -> None:
        """As the port says."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._lane.run(lambda: _thaw(chain))
                await _until_thawed(chain.own)
        except TimeoutError:
            raise GroupRefused(
                f"{_FREEZE}: the group still stands still {timeout_s:g} s after it was thawed."
            ) from None

    async def _undo(self, chain: Chain) -> None:
        # It is done even if the wait for it is cut short: the lane has it.
        undone = self._lane.submit(lambda: _thaw(chain))
        with contextlib.suppress(TimeoutError, GroupGone, GroupRefused):
            async with asyncio.timeout(_UNDO_S):
                await asyncio.shield(asyncio.wrap_future(undone))


def asked_to_freeze(chain: Chain) -> bool:
    """Whether any of its groups was told to stand still (podman freezes the one that the process is in)."""
    return any(number(text) == 1 for _, text in chain.values(_FREEZE))


def _thaw(chain: Chain) -> None:
    for folder, text in list(chain.values(_FREEZE)):
        if number(text) != 0:
            folder.write(_FREEZE, "0")


async def _until_frozen(folder: Folder) -> None:
    """Raises GroupGone when nothing is left in it that could stand still."""
    pause = _FIRST_LOOK_S
    while True:
        events = table(folder.read("cgroup.events"))
        if events.get("populated") == 0:
            raise GroupGone(f"The last process of the control group {folder.path.name} has ended.")
        if events.get("frozen") == 1:
            return
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)


async def _until_thawed(folder: Folder) -> None:
    pause = _FIRST_LOOK_S
    while table(folder.read("cgroup.events")).get("frozen") == 1:
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)
