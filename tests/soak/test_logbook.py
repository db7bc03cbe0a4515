"""A log without a fault, and those that tell of one."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.soak.logbook import MOST_IN_WINDOW, audit


def lines(count: int, every_s: float, event: str = "step failed", workspace: str = "user:ann") -> Iterator[str]:
    """So many lines, so many seconds apart."""
    for number in range(count):
        at = number * every_s
        stamp = f"2026-01-01T00:{int(at // 60):02}:{at % 60:09.6f}Z"
        yield json.dumps({"event": event, "workspace": workspace, "timestamp": stamp})


def test_a_log_with_nothing_in_it() -> None:
    """Many lines over a long time, lines of many workspaces, and what is no JSON."""
    several = [line for number in range(50) for line in lines(5, 0.1, workspace=f"user:u{number}")]
    assert list(audit(["not JSON", "{}", *lines(200, 1.0), *several])) == []


def test_a_busy_loop_is_found() -> None:
    """The same of one workspace many times within seconds."""
    (found,) = audit(lines(MOST_IN_WINDOW + 1, 0.01))
    assert found.startswith(f"The daemon said 'step failed' of user:ann {MOST_IN_WINDOW + 1} times within 10 s")


@pytest.mark.parametrize("told", [
    {"event": "reconciler defect", "exception": "Traceback (most recent call last): …"},
    {"event": "Task exception was never retrieved"},
    {"event": "request failed", "path": "/api/execute"},
])  # fmt: skip
def test_a_defect_is_found(told: dict[str, str]) -> None:
    """With its line."""
    (found,) = audit([json.dumps({**told, "timestamp": "2026-01-01T00:00:00Z"})])
    assert told["event"] in found
