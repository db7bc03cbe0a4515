"""A daemon that hangs at its end is ended, and tells what it waited for; in processes of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

# They wait in real time, since what is tried is a timer of the process.
pytestmark = pytest.mark.slow

_HANGS = {
    "a task": "await asyncio.Event().wait()",
    "the event loop": "import time; time.sleep(60)",
}
_PROGRAM = """
import asyncio
from wsmgr.bootstrap import last_resort

async def stuck():
    {hang}

async def main():
    last_resort.arm(0.5, overtime_s=1.0)
    await asyncio.create_task(stuck(), name="stuck task")

asyncio.run(main())
"""


@pytest.mark.parametrize("what", _HANGS)
def test_a_hang_ends(what: str) -> None:
    """With exit code 1, and the line at which it stands."""
    program = _PROGRAM.format(hang=_HANGS[what])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "in stuck" in done.stderr if what == "the event loop" else "stuck task" in done.stdout


def test_an_end_in_time_is_not_disturbed() -> None:
    """The exit code is the program's own, also where it takes its time after all was done."""
    program = _PROGRAM.format(hang="return") + "last_resort.disarm()\nimport time; time.sleep(2)\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
