"""Ends the program when its terminal is gone.

The kernel sends SIGHUP to those whose controlling terminal it was. Started through `su -c` or `setsid` a program has
none, hears nothing, and Textual goes on reading the end of its input with half a core, for ever.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time

GRACE_S = 1.0


def watch(descriptor: int) -> None:
    """Have SIGHUP sent to this process when what `descriptor` leads to is hung up; by a thread of its own, since the
    event loop stands still as soon as nothing can be written."""
    threading.Thread(target=_wait, args=(descriptor,), name="hangup", daemon=True).start()


def _wait(descriptor: int) -> None:
    poll = select.poll()
    # No event is asked for: that it was hung up is told all the same.
    poll.register(descriptor, 0)
    poll.poll()
    os.kill(os.getpid(), signal.SIGHUP)
    # Whoever was started with that signal ignored (`nohup`) is here still, and has nobody to show anything to.
    time.sleep(GRACE_S)
    os._exit(128 + signal.SIGHUP)
