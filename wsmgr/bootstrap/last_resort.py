"""Ends a daemon that does not end: whatever it waits for then, its log says so, and the process is gone."""

from __future__ import annotations

import asyncio
import faulthandler
import sys

import structlog

from wsmgr.control.tasks import where

log = structlog.get_logger(__name__)

OVERTIME_S = 25.0
"""What an end may take beyond its deadline: a last look at usage (4 s), loops (6 s), connections (5 s), podman's own
service (10 s)."""
_TELL_S = 1.0


def arm(deadline_s: float, overtime_s: float = OVERTIME_S) -> None:
    """From now on the process has `deadline_s` and `overtime_s`. What was acknowledged is on the disk, and containers
    are left to the next daemon. Call it in the event loop."""
    within_s = deadline_s + overtime_s
    asyncio.get_running_loop().call_later(within_s - _TELL_S, _tell, within_s)
    # By a thread of its own in C: also an event loop that stands still must not keep it.
    faulthandler.dump_traceback_later(within_s, exit=True, file=sys.__stderr__ or sys.stderr)


def disarm() -> None:
    """All is done and let go of: what still ends by itself (a thread in a hung call to podman) has a bound."""
    faulthandler.cancel_dump_traceback_later()


def _tell(within_s: float) -> None:
    waiting = {task.get_name(): where(task) for task in asyncio.all_tasks()}
    log.critical("the daemon did not end in time and is ended now", within_s=within_s, waiting=waiting)
