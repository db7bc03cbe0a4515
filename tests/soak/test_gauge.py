"""What counts as growth, and that it is read from the process itself."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from tests.soak import gauge
from tests.soak.gauge import Reading

BEFORE = Reading(unique_mib=90, resident_mib=110, descriptors=50, threads=15, zombies=0)


def test_what_stays_within_its_allowance() -> None:
    """Less is no growth either."""
    more = Reading(90 + gauge.MEMORY_MIB, 300, 50 + gauge.DESCRIPTORS, 15 + gauge.THREADS, 0)
    assert gauge.growth(BEFORE, more) == []
    assert gauge.growth(more, BEFORE) == []


@pytest.mark.parametrize(("after", "word"), [
    (replace(BEFORE, unique_mib=90 + gauge.MEMORY_MIB + 1), "memory"),
    (replace(BEFORE, descriptors=51 + gauge.DESCRIPTORS), "descriptors"),
    (replace(BEFORE, threads=16 + gauge.THREADS), "threads"),
    (replace(BEFORE, zombies=1), "never waited for"),
])  # fmt: skip
def test_what_grows_is_told(after: Reading, word: str) -> None:
    """One sentence for each."""
    (found,) = gauge.growth(BEFORE, after)
    assert word in found


GROWS = """
import os, sys, threading
print("ready", flush=True)
sys.stdin.readline()
hoard = bytearray(os.urandom(1024)) * (40 * 1024)
pipes = [os.pipe() for _ in range(10)]
threading.Thread(target=threading.Event().wait, daemon=True).start()
print("grown", flush=True)
sys.stdin.readline()
"""


def test_readings_follow_the_process() -> None:
    """Memory, descriptors and threads that are really there, of a process that does nothing else."""
    command = [sys.executable, "-c", GROWS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        before = gauge.read(process.pid)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "grown\n"
        after = gauge.read(process.pid)
        process.stdin.write("\n")
        process.stdin.close()
    assert before is not None
    assert after is not None
    assert after.unique_mib - before.unique_mib > 35
    assert after.descriptors - before.descriptors == 20
    assert after.threads - before.threads == 1


def test_a_process_that_is_gone_has_no_reading() -> None:
    """Not one of zeroes."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert gauge.read(ended.pid) is None
    assert gauge.settled(ended.pid, 0.1) is None
