"""How a call went, for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wsmgr.cli.humane import milliseconds
from wsmgr.cli.output import note, say

if TYPE_CHECKING:
    from wsmgr.wire.execute import ExecuteResponse, LogEntry


def show_log(entry: LogEntry) -> None:
    """One line, on standard error."""
    note(f"  {entry.level:>5} {milliseconds(entry.t):>9}  {entry.message}")


def show_answer(answer: ExecuteResponse, *, logs: bool = True) -> None:
    """The output on standard output; logs, error and summary on standard error."""
    for entry in answer.logs if logs else ():
        show_log(entry)
    if answer.logs_truncated:
        note("  (the logs were cut)")
    if answer.success:
        say(json.dumps(answer.output, indent=2, ensure_ascii=False))
    elif answer.error is not None:
        note(f"wsmgr: the plugin failed: {answer.error.type}: {answer.error.message}")
        if answer.error.stack:
            note(answer.error.stack)
    note(summary(answer))


def summary(answer: ExecuteResponse) -> str:
    """One line: how long, how cold, how isolated, which version."""
    started = f"cold start {milliseconds(answer.start_ms)}" if answer.cold_start else "warm"
    queued = f", queued {milliseconds(answer.queue_ms)}" if answer.queue_ms >= 1 else ""
    isolation = f"{answer.isolation} (degraded)" if answer.degraded else answer.isolation
    return (
        f"{milliseconds(answer.duration_ms)}, {started}{queued}, isolation {isolation}, "
        f"version {answer.plugin_version[:12]}, execution {answer.execution_id}"
    )
