"""Plugins in Python that tests write down as lines, and a look at the processes that a runtime has."""

from __future__ import annotations

from pathlib import Path

from tests.contract.runtime.subject import Outcome, Runtime


def run(runtime: Runtime, code: str, value: object = None, **more: object) -> Outcome:
    """Puts a source as the plugin `p` and executes it."""
    answer = runtime.put_code("p", code)
    assert answer.status == 200, answer.body
    return runtime.execute("p", value, **more)


def body(*lines: str) -> str:
    """A plugin whose `execute` has these lines."""
    return "import ctypes, os, signal, subprocess, sys, threading, time\ndef execute(input, context):\n" + "".join(
        f"    {line}\n" for line in lines
    )


def processes_of(runtime: Runtime) -> set[int]:
    """Everything that comes from the runtime."""
    found: set[int] = set()
    waiting = [runtime.process.pid]
    while waiting:
        pid = waiting.pop()
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                children = {int(one) for one in task.read_text().split()}
            except OSError:
                continue
            waiting += children
            found |= children
    return found
