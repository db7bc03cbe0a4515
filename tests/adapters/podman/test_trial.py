"""What is tried where, and what a report may be."""

from __future__ import annotations

import pytest

from tests.adapters.podman.test_matrix import GOOD, SPEC
from wsmgr.adapters.podman.trial import Attempt, Report, attempt_on, parse_report


def test_only_limits_that_are_written_are_broken() -> None:
    """Nothing would hold the probe elsewhere: the host would have to bear it. Processes are few and small."""
    assert attempt_on(SPEC, GOOD.cgroup_files) == Attempt(forks=64, burn_ms=400, greedy_mb=192)
    assert attempt_on(SPEC, {}) == Attempt(forks=64, burn_ms=0, greedy_mb=0)
    assert attempt_on(SPEC, {"memory.max": "max", "cpu.max": "max 100000"}) == Attempt(64, 0, 0)


def test_a_report_that_is_not_whole_yet_is_one() -> None:
    """Each step adds to it."""
    assert parse_report(b'{"forks": 3, "refused": null}') == Report(forks=3)
    assert parse_report(b'{"greedy": "SIGKILL", "done": true}') == Report(greedy="SIGKILL", done=True)


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{", b'{"forks": "3"}', b'{"forks": -1}', b'{"forks": true}', b'{"refused": 5}',
     b'{"greedy": "\\u001b[2J"}', b'{"greedy": "' + b"x" * 33 + b'"}', b"\xff"],
)  # fmt: skip
def test_anything_else_is_refused(data: bytes) -> None:
    """It ends up in evidence that people read in a terminal."""
    with pytest.raises(ValueError):  # noqa: PT011 (each has its own words)
        parse_report(data)
