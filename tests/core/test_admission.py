"""The table of what is admitted."""

from __future__ import annotations

import pytest

from wsmgr.core.admission import ENVELOPE_BYTES, admit_call, admit_size, admit_workspace, timeout_of
from wsmgr.core.errors import QuotaExceeded, TooLarge
from wsmgr.core.limits import FREE, PRO

LIMITS = FREE.limits


@pytest.mark.parametrize(
    ("running", "queued", "admitted"),
    [
        (0, 0, True),
        (LIMITS.concurrent_executions, 0, True),
        (LIMITS.concurrent_executions, LIMITS.queue_length - 1, True),
        (LIMITS.concurrent_executions, LIMITS.queue_length, False),
        (LIMITS.concurrent_executions + 5, LIMITS.queue_length, False),
    ],
)
def test_a_call_waits_unless_the_queue_is_full(running: int, queued: int, admitted: bool) -> None:
    """The refusal names the limit, the usage, and when to come again."""
    if admitted:
        admit_call(LIMITS, running=running, queued=queued)
        return
    with pytest.raises(QuotaExceeded) as refused:
        admit_call(LIMITS, running=running, queued=queued)
    assert refused.value.details["limit"] == "queueLength"
    assert refused.value.retry_after is not None


@pytest.mark.parametrize(("holding", "admitted"), [(0, True), (2, True), (3, False), (4, False)])
def test_an_owner_holds_no_more_workspaces_than_its_plan_allows(holding: int, admitted: bool) -> None:
    """PRO has room for three."""
    if admitted:
        admit_workspace(PRO.limits, holding=holding)
        return
    with pytest.raises(QuotaExceeded, match="allows 3"):
        admit_workspace(PRO.limits, holding=holding)


def test_a_call_is_as_large_as_its_plan_allows() -> None:
    """The input cap holds with a small allowance for the envelope; inline code has a cap of its own."""
    most = LIMITS.input_bytes + ENVELOPE_BYTES
    admit_size(LIMITS, size=most, inline=False)
    admit_size(LIMITS, size=most + LIMITS.plugin_bytes, inline=True)
    with pytest.raises(TooLarge):
        admit_size(LIMITS, size=most + 1, inline=False)
    with pytest.raises(TooLarge):
        admit_size(LIMITS, size=most + LIMITS.plugin_bytes + 1, inline=True)


@pytest.mark.parametrize(
    ("asked", "seconds"), [(None, LIMITS.execution_timeout_s), (1500, 1.5), (10**9, LIMITS.max_execution_timeout_s)]
)
def test_the_timeout_is_what_was_asked_within_the_plan(asked: int | None, seconds: float) -> None:
    """Milliseconds in, seconds out, capped."""
    assert timeout_of(LIMITS, asked) == seconds
