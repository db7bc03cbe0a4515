"""Rootless podman's pause process: it holds the user namespace in which all of a user's containers live.

When it and every container were killed at once (`pkill -9 -u`, a machine that was stopped hard and whose /run is not
emptied at boot), podman finds containers in its database that ought to run, none of whose processes is there to be
joined, and then no command works any more: "invalid internal status, try resetting the pause process with podman system
migrate" (seen with 4.3.1). Nothing runs at that moment, so that to do what it says loses nothing.
"""

from __future__ import annotations

import asyncio

import structlog

from wsmgr.adapters.podman.program import Program
from wsmgr.core.errors import EngineFailure, EngineUnavailable

log = structlog.get_logger(__name__)

_STALE = "system migrate"
_LOOK_TIMEOUT_S = 20.0
_MEND_TIMEOUT_S = 60.0


class PauseProcess:
    """That of the user this process runs as."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._mending = asyncio.Lock()

    async def mend(self) -> bool:
        """Reset it when podman cannot work for want of it; whether that was done.

        Raises EngineUnavailable when the reset fails. Any other trouble of podman's, also that there is none, is left
        for the next command to tell.
        """
        async with self._mending:
            said = await self._lost()
            if said is None:
                return False
            log.warning("podman has lost its pause process; it is reset", said=said)
            failed = await self._reset()
            if await self._lost() is not None:
                raise EngineUnavailable(
                    f"Podman has lost its pause process, and `podman system migrate` failed: {failed}"
                )
            return True

    async def _lost(self) -> str | None:
        """Podman's words when it asks for a reset; None otherwise."""
        try:
            code, said = await self._program.run(["unshare", "true"], _LOOK_TIMEOUT_S)
        except EngineFailure:
            return None
        asked = next((line for line in said if _STALE in line), None)
        return asked[:400] if asked is not None and code != 0 else None

    async def _reset(self) -> str:
        """Podman's last words. It complains of containers that did not tell of their end, and is whole all the same."""
        try:
            _, said = await self._program.run(["system", "migrate"], _MEND_TIMEOUT_S)
        except EngineFailure as error:
            return error.sentence
        return said[-1][:400] if said else "it said nothing."
