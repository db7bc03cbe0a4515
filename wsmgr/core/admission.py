"""Whether a call may wait for its turn: pure, so that every case stands in one table of tests."""

from __future__ import annotations

from wsmgr.core.errors import QuotaExceeded, TooLarge
from wsmgr.core.limits import Limits


def admit_call(limits: Limits, *, running: int, queued: int) -> None:
    """Raises QuotaExceeded when the workspace's queue is full."""
    if running + queued >= limits.concurrent_executions + limits.queue_length:
        raise QuotaExceeded(
            f"{running} calls of this workspace run and {queued} wait; its plan allows "
            f"{limits.concurrent_executions} and {limits.queue_length}. Try again when some have ended.",
            details={"limit": "queueLength", "allowed": limits.queue_length, "used": queued},
            retry_after=1.0,
        )


ENVELOPE_BYTES = 64 * 1024
"""What a request may hold besides the input and the code: ids, context, JSON's own signs."""


def admit_size(limits: Limits, *, size: int, inline: bool) -> None:
    """Raises TooLarge when a call's request of `size` bytes is over the plan's input cap."""
    allowed = limits.input_bytes + ENVELOPE_BYTES + (limits.plugin_bytes if inline else 0)
    if size > allowed:
        raise TooLarge(
            f"The call has {size} bytes and its plan allows {allowed}.",
            details={"limit": "inputBytes", "allowed": allowed, "used": size},
        )


def admit_workspace(limits: Limits, *, holding: int) -> None:
    """Raises QuotaExceeded when the owner has no room for one more workspace that holds memory."""
    if holding >= limits.max_workspaces:
        raise QuotaExceeded(
            f"The owner has {holding} workspaces in memory and its plan allows {limits.max_workspaces}. "
            "Stop one, or choose a larger plan.",
            details={"limit": "maxConcurrentWorkspaces", "allowed": limits.max_workspaces, "used": holding},
        )


def timeout_of(limits: Limits, asked_ms: int | None) -> float:
    """The plugin's own time limit in seconds: what was asked, capped by the plan; the plan's usual one if not asked."""
    wanted = limits.execution_timeout_s if asked_ms is None else asked_ms / 1000
    return min(wanted, limits.max_execution_timeout_s)
