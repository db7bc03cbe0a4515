"""What the kernel counted for a container's groups."""

from __future__ import annotations

from wsmgr.adapters.cgroup.chain import Chain
from wsmgr.adapters.cgroup.folder import Folder
from wsmgr.adapters.cgroup.values import number, table
from wsmgr.core.cgroup import Counters
from wsmgr.ports.cgroup import GroupGone

_MICRO = 1e-6


def read_counters(chain: Chain) -> Counters:
    """Use is counted for the topmost group with all below it. Raises GroupGone."""
    memory = number(chain.top.read("memory.current"))
    # Dropped without a write or a swap, as far as can be told from outside.
    droppable = table(chain.top.read("memory.stat")).get("inactive_file", 0)
    cpu = _tables(chain, "cpu.stat")
    used = cpu[0].get("usage_usec") if cpu else None
    throttled = _highest(cpu, "throttled_usec")
    return Counters(
        memory_bytes=memory,
        working_set_bytes=None if memory is None else max(0, memory - droppable),
        cpu_s=None if used is None else used * _MICRO,
        throttled_s=None if throttled is None else throttled * _MICRO,
        oom_kills=_highest(_tables(chain, "memory.events"), "oom_kill"),
        pids=number(chain.top.read("pids.current")),
        pids_refused=_highest(_tables(chain, "pids.events"), "max"),
    )


def read_kills(folder: Folder) -> int | None:
    """Of the folder and all below it, also of those that are gone; None where nothing is counted."""
    try:
        return table(folder.read("memory.events")).get("oom_kill")
    except GroupGone:
        return None


def _tables(chain: Chain, name: str) -> list[dict[str, int]]:
    return [table(text) for _, text in chain.values(name)]


def _highest(tables: list[dict[str, int]], key: str) -> int | None:
    """A count that only some of the groups keep: throttling is counted where the limit sits; refused forks in the
    process' own group before Linux 6.11 and in those above it since; OOM kills depend on the mount's options."""
    return max((counts[key] for counts in tables if key in counts), default=None)
