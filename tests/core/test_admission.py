"""The table of what is admitted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsmgr.core.admission import ENVELOPE_BYTES, Asked, OneCall, OneVersion, OneWorkspace, Usage, admit, timeout_of
from wsmgr.core.errors import QuotaExceeded, TooLarge, WsmgrError
from wsmgr.core.limit_table import BY_NAME, LimitValue, overridden
from wsmgr.core.limits import FREE, MIB, PRO, Limits

LIMITS = FREE.limits
INPUT = LIMITS.input_bytes + ENVELOPE_BYTES
HELD = Usage(workspaces=2, memory_mb=1024, cpus=2.0, pids=512, scratch_mb=512, frees_in_s=42.0)
"""Two workspaces of PRO."""


def _pro(**overrides: LimitValue) -> Limits:
    return overridden(PRO.limits, overrides)


@pytest.mark.parametrize(
    ("limits", "asked", "usage"),
    [
        (LIMITS, OneCall(INPUT), Usage(tokens=1)),
        (LIMITS, OneCall(INPUT + LIMITS.plugin_bytes, inline=True), Usage(tokens=1)),
        (LIMITS, OneCall(INPUT, input_size=LIMITS.input_bytes), Usage(tokens=1)),
        (LIMITS, OneCall(1), Usage(tokens=1, running=4, waiting=255)),
        (overridden(LIMITS, {"ratePerSecond": 0}), OneCall(1), Usage(tokens=-5)),
        (LIMITS, OneWorkspace(), Usage()),
        (PRO.limits, OneWorkspace(), HELD),
        (_pro(ownerMemoryMb=1536), OneWorkspace(), HELD),
        (_pro(cpus=0.1, ownerCpus=0.3), OneWorkspace(), Usage(workspaces=2, cpus=0.1 + 0.1)),
        (LIMITS, OneVersion(4 * MIB, new=True), Usage(plugins=49)),
        (LIMITS, OneVersion(4 * MIB, new=False), Usage(plugins=50)),
        (LIMITS, OneVersion(1, new=False), Usage(plugins=999)),
    ],
)
def test_what_is_within_the_plan_is_let_in(limits: Limits, asked: Asked, usage: Usage) -> None:
    """Up to the last place."""
    admit(limits, asked, usage)


@pytest.mark.parametrize(
    ("limits", "asked", "usage", "expected"),
    [
        (LIMITS, OneCall(INPUT + 1), Usage(tokens=1), (TooLarge, "inputBytes", INPUT, INPUT + 1, False, None)),
        (
            LIMITS,
            OneCall(INPUT, input_size=LIMITS.input_bytes + 1),
            Usage(tokens=1),
            (TooLarge, "inputBytes", LIMITS.input_bytes, LIMITS.input_bytes + 1, False, None),
        ),
        (
            LIMITS,
            OneCall(INPUT + LIMITS.plugin_bytes + 1, inline=True),
            Usage(tokens=1),
            (TooLarge, "inputBytes", INPUT + LIMITS.plugin_bytes, INPUT + LIMITS.plugin_bytes + 1, False, None),
        ),
        (
            overridden(LIMITS, {"ratePerSecond": 0.5, "rateBurst": 3}),
            OneCall(1),
            Usage(tokens=0.25),
            (QuotaExceeded, "rateBurst", 3, 3, True, 1.5),
        ),
        (
            LIMITS,
            OneCall(1),
            Usage(tokens=1, running=4, waiting=256),
            (QuotaExceeded, "queueLength", 256, 256, True, 1.0),
        ),
        (
            LIMITS,
            OneCall(1),
            Usage(tokens=1, running=0, waiting=260),
            (QuotaExceeded, "queueLength", 256, 260, True, 1.0),
        ),
        (
            LIMITS,
            OneWorkspace(),
            Usage(workspaces=1),
            (QuotaExceeded, "maxConcurrentWorkspaces", 1, 1, True, None),
        ),
        (
            _pro(maxConcurrentWorkspaces=2),
            OneWorkspace(),
            HELD,
            (QuotaExceeded, "maxConcurrentWorkspaces", 2, 2, True, 42.0),
        ),
        (
            _pro(maxConcurrentWorkspaces=0),
            OneWorkspace(),
            Usage(),
            (QuotaExceeded, "maxConcurrentWorkspaces", 0, 0, False, None),
        ),
        (_pro(ownerMemoryMb=1535), OneWorkspace(), HELD, (QuotaExceeded, "ownerMemoryMb", 1535, 1024, True, 42.0)),
        (_pro(ownerMemoryMb=511), OneWorkspace(), Usage(), (QuotaExceeded, "ownerMemoryMb", 511, 0, False, None)),
        (_pro(ownerCpus=2.9), OneWorkspace(), HELD, (QuotaExceeded, "ownerCpus", 2.9, 2.0, True, 42.0)),
        (_pro(ownerPids=767), OneWorkspace(), HELD, (QuotaExceeded, "ownerPids", 767, 512, True, 42.0)),
        (_pro(ownerScratchMb=767), OneWorkspace(), HELD, (QuotaExceeded, "ownerScratchMb", 767, 512, True, 42.0)),
        (
            LIMITS,
            OneVersion(4 * MIB + 1, new=False),
            Usage(),
            (TooLarge, "pluginBytes", 4 * MIB, 4 * MIB + 1, False, None),
        ),
        (LIMITS, OneVersion(1, new=True), Usage(plugins=50), (QuotaExceeded, "maxPlugins", 50, 50, False, None)),
    ],
)
def test_what_is_over_the_plan_is_refused_with_the_limit_and_the_usage(
    limits: Limits,
    asked: Asked,
    usage: Usage,
    expected: tuple[type[WsmgrError], str, float, float, bool, float | None],
) -> None:
    """Whether waiting helps, and how long where that is known; by the limit's name outside."""
    kind, limit, allowed, used, retryable, retry_after = expected
    with pytest.raises(kind) as refused:
        admit(limits, asked, usage)
    error = refused.value
    assert {name: error.details[name] for name in ("limit", "allowed", "used")} == {
        "limit": limit,
        "allowed": allowed,
        "used": used,
    }
    assert (error.retryable, error.retry_after) == (retryable, retry_after)
    assert limit in BY_NAME
    assert error.status == (413 if kind is TooLarge else 429)


@given(
    limits=st.builds(
        lambda places, memory, total: overridden(
            FREE.limits, {"maxConcurrentWorkspaces": places, "memoryMb": memory, "ownerMemoryMb": total}
        ),
        st.integers(0, 5),
        st.integers(32, 300),
        st.integers(0, 900),
    ),
    coming=st.lists(st.booleans(), max_size=60),
)
def test_whoever_comes_and_goes_the_owner_never_holds_more_than_it_may(limits: Limits, coming: list[bool]) -> None:
    """In number and in memory; and nobody is refused who would fit."""
    held = 0
    for comes in coming:
        if not comes:
            held = max(0, held - 1)
            continue
        fits = held < limits.max_workspaces and (held + 1) * limits.memory_mb <= limits.total_memory_mb
        usage = Usage(workspaces=held, memory_mb=held * limits.memory_mb)
        if fits:
            admit(limits, OneWorkspace(), usage)
            held += 1
        else:
            with pytest.raises(QuotaExceeded):
                admit(limits, OneWorkspace(), usage)
        assert held <= limits.max_workspaces
        assert held * limits.memory_mb <= limits.total_memory_mb


@pytest.mark.parametrize(
    ("asked", "seconds"), [(None, LIMITS.execution_timeout_s), (1500, 1.5), (10**9, LIMITS.max_execution_timeout_s)]
)
def test_the_timeout_is_what_was_asked_within_the_plan(asked: int | None, seconds: float) -> None:
    """Milliseconds in, seconds out, capped."""
    assert timeout_of(LIMITS, asked) == seconds


def test_the_usual_timeout_is_within_the_longest_too() -> None:
    """Whoever lowers the one has lowered the other."""
    assert timeout_of(overridden(LIMITS, {"maxExecutionTimeoutMs": 5000}), None) == 5.0
