"""Plans carry the platform's values."""

from __future__ import annotations

import pytest

from wsmgr.core.plans import BUILT_IN


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("FREE", (128, 0.25, 1, 60)),
        ("PRO", (512, 1.0, 3, 300)),
        ("ENTERPRISE", (2048, 2.0, 10, 1800)),
        ("pro", (512, 1.0, 3, 300)),
        ("GOLD", (128, 0.25, 1, 60)),
        (None, (256, 0.5, 1, 300)),
    ],
)
def test_the_platforms_values(name: str | None, expected: tuple[int, float, int, int]) -> None:
    """Memory, CPU, workspaces and idle seconds; an unknown plan is FREE, and no plan has the platform's default."""
    limits = BUILT_IN.named(name).limits
    assert (limits.memory_mb, limits.cpus, limits.max_workspaces, limits.idle_timeout_s) == expected


@pytest.mark.parametrize(("name", "seconds"), [("FREE", 15), ("PRO", 60), ("ENTERPRISE", 300)])
def test_what_is_idle_is_paused_before_it_is_stopped(name: str, seconds: int) -> None:
    """The first rung of the ladder."""
    limits = BUILT_IN.named(name).limits
    assert limits.pause_after_s == seconds < limits.idle_timeout_s
