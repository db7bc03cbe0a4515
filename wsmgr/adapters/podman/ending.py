"""How a container ended, where podman does not know: without control groups nobody counts out-of-memory kills."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from pathlib import Path

from wsmgr.adapters.podman.loglines import last_lines
from wsmgr.core.workspace import Exited

LAST_WORDS = 40
"""Lines in which a runtime that dies says why; the stack that V8 prints behind it has some twenty."""
OF_MEMORY = frozenset(128 + number for number in (signal.SIGKILL, signal.SIGABRT, signal.SIGTRAP))
"""Exit codes of a runtime that ended itself for want of memory: our own, and those of V8's aborts."""
WORDS = "out of memory"


async def explained(exited: Exited, log: Path | None) -> Exited:
    """The same, or with `oom_killed` because the runtime's last words, its own or V8's, say so."""
    if exited.oom_killed or exited.exit_code not in OF_MEMORY or log is None:
        return exited
    try:
        lines = await asyncio.to_thread(last_lines, log, LAST_WORDS)
    except OSError:
        return exited
    return replace(exited, oom_killed=any(WORDS in line for line in lines))
