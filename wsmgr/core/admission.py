"""Whether something that is asked for is within what a plan allows: one pure function with a table of cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, assert_never

from wsmgr.core.errors import QuotaExceeded, TooLarge
from wsmgr.core.limits import Limits

ENVELOPE_BYTES = 64 * 1024
"""What a request may hold besides the input and the code: ids, context, JSON's own signs."""


@dataclass(frozen=True, slots=True)
class OneCall:
    """A call whose request has `size` bytes; `inline`: with the plugin's code in it."""

    size: int
    inline: bool = False


@dataclass(frozen=True, slots=True)
class OneQueued:
    """A call that is to wait in the owner's queue; otherwise as `OneCall`."""

    size: int
    inline: bool = False


@dataclass(frozen=True, slots=True)
class OneWorkspace:
    """One more workspace that holds memory, as large as the limits say."""


@dataclass(frozen=True, slots=True)
class OneVersion:
    """A version of a plugin with `size` bytes of code; `new`: the owner has no plugin of that name yet."""

    size: int
    new: bool


Asked = OneCall | OneQueued | OneWorkspace | OneVersion


class Usage(NamedTuple):
    """What is used at this moment; only what concerns the thing that is asked for needs to be filled in. A tuple: every
    call makes one.

    `tokens` are in the owner's bucket. `running` and `waiting` are calls of the workspace. `workspaces`, `memory_mb`,
    `cpus`, `pids` and `scratch_mb` are what the owner's other workspaces hold; `frees_in_s`: when the next of them
    goes by itself, None when that is not known. `plugins` are the owner's, and so are the `queued` calls.
    """

    tokens: float = 0.0
    running: int = 0
    waiting: int = 0
    workspaces: int = 0
    memory_mb: int = 0
    cpus: float = 0.0
    pids: int = 0
    scratch_mb: int = 0
    frees_in_s: float | None = None
    plugins: int = 0
    queued: int = 0

    def besides(self, limits: Limits, workspaces: int) -> Usage:
        """The same, with so many more workspaces of these limits."""
        return self._replace(
            workspaces=self.workspaces + workspaces,
            memory_mb=self.memory_mb + workspaces * limits.memory_mb,
            cpus=self.cpus + workspaces * limits.cpus,
            pids=self.pids + workspaces * limits.pids,
            scratch_mb=self.scratch_mb + workspaces * limits.scratch_mb,
        )


def admit(limits: Limits, asked: Asked, usage: Usage) -> None:
    """Raises QuotaExceeded or TooLarge, whose details name the limit, what it allows and what is used."""
    match asked:
        case OneCall():
            _call(limits, asked, usage)
        case OneQueued():
            _queued(limits, asked, usage)
        case OneWorkspace():
            _workspace(limits, usage)
        case OneVersion():
            _version(limits, asked, usage)
        case _:
            assert_never(asked)


def timeout_of(limits: Limits, asked_ms: int | None) -> float:
    """The plugin's own time limit in seconds: what was asked, capped by the plan; the plan's usual one if not asked."""
    wanted = limits.execution_timeout_s if asked_ms is None else asked_ms / 1000
    return min(wanted, limits.max_execution_timeout_s)


def _call(limits: Limits, asked: OneCall, usage: Usage) -> None:
    _request(limits, asked, usage)
    if usage.running + usage.waiting >= limits.concurrent_executions + limits.queue_length:
        raise QuotaExceeded(
            f"{usage.running} calls of this workspace run and {usage.waiting} wait; its plan allows "
            f"{limits.concurrent_executions} and {limits.queue_length}. Try again when some have ended.",
            details=_details("queueLength", limits.queue_length, usage.waiting),
            retry_after=1.0,
        )


def _queued(limits: Limits, asked: OneQueued, usage: Usage) -> None:
    _request(limits, asked, usage)
    if usage.queued >= limits.async_queue_length:
        raise QuotaExceeded(
            f"{usage.queued} calls of the owner are queued and its plan allows {limits.async_queue_length}. Try again "
            "when some have started.",
            details=_details("asyncQueueLength", limits.async_queue_length, usage.queued),
            retry_after=5.0,
            retryable=limits.async_queue_length > 0,
        )


def _request(limits: Limits, asked: OneCall | OneQueued, usage: Usage) -> None:
    """Its size, and how often the owner calls."""
    most = limits.input_bytes + ENVELOPE_BYTES + (limits.plugin_bytes if asked.inline else 0)
    if asked.size > most:
        sentence = f"The call has {asked.size} bytes and its plan allows {most}."
        raise TooLarge(sentence, details=_details("inputBytes", most, asked.size))
    if limits.rate_per_s and usage.tokens < 1.0:
        wait_s = (1.0 - usage.tokens) / limits.rate_per_s
        raise QuotaExceeded(
            f"The owner has made {limits.rate_burst} calls at once; from then on its plan allows "
            f"{limits.rate_per_s:g} a second. Try again in {wait_s:.2g} s.",
            details={**_details("rateBurst", limits.rate_burst, limits.rate_burst), "ratePerSecond": limits.rate_per_s},
            retry_after=wait_s,
        )


def _workspace(limits: Limits, usage: Usage) -> None:
    if usage.workspaces >= limits.max_workspaces:
        raise QuotaExceeded(
            f"The owner has {usage.workspaces} workspaces in memory and its plan allows {limits.max_workspaces}. "
            "Stop one, or choose a larger plan.",
            details=_details("maxConcurrentWorkspaces", limits.max_workspaces, usage.workspaces),
            retry_after=usage.frees_in_s,
            retryable=limits.max_workspaces > 0,
        )
    totals = (
        ("ownerMemoryMb", "MiB of memory", limits.total_memory_mb, usage.memory_mb, limits.memory_mb),
        ("ownerCpus", "cores", limits.total_cpus, usage.cpus, limits.cpus),
        ("ownerPids", "processes", limits.total_pids, usage.pids, limits.pids),
        ("ownerScratchMb", "MiB of /tmp", limits.total_scratch_mb, usage.scratch_mb, limits.scratch_mb),
    )
    for limit, what, allowed, used, needed in totals:
        # Sums of fractions of cores are not exact.
        if used + needed <= allowed * (1 + 1e-9):
            continue
        raise QuotaExceeded(
            f"The owner's workspaces hold {used:g} {what}, one more needs {needed:g}, and the owner may hold "
            f"{allowed:g}. Stop one, or raise {limit}.",
            details=_details(limit, allowed, used),
            retry_after=usage.frees_in_s,
            # Alone it would be too large already: waiting does not help.
            retryable=needed <= allowed * (1 + 1e-9),
        )


def _version(limits: Limits, asked: OneVersion, usage: Usage) -> None:
    if asked.size > limits.plugin_bytes:
        sentence = f"The plugin has {asked.size} bytes and the owner's plan allows {limits.plugin_bytes}."
        raise TooLarge(sentence, details=_details("pluginBytes", limits.plugin_bytes, asked.size))
    if asked.new and usage.plugins >= limits.max_plugins:
        raise QuotaExceeded(
            f"The owner has {usage.plugins} plugins and its plan allows {limits.max_plugins}. Remove one, or choose a "
            "larger plan.",
            details=_details("maxPlugins", limits.max_plugins, usage.plugins),
            retryable=False,
        )


def _details(limit: str, allowed: float, used: float) -> dict[str, object]:
    return {"limit": limit, "allowed": allowed, "used": used}
