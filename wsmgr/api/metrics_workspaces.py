"""Series of single workspaces, for the first so many by id: more than that no scrape ever has, whoever makes some."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from wsmgr.control.daemon import Daemon
from wsmgr.core.limits import MIB
from wsmgr.core.usage import Current

Value = Callable[[Current], float | None]

_GAUGES: tuple[tuple[str, str, Value], ...] = (
    ("wsmgr_workspace_cpu_ratio", "Of one core, at the last sweep.", lambda now: _scaled(now.cpu_percent, 0.01)),
    ("wsmgr_workspace_memory_bytes", "Working set.", lambda now: _scaled(now.memory_mb, MIB)),
    ("wsmgr_workspace_memory_limit_bytes", "What its plan allows.", lambda now: _scaled(now.memory_limit_mb, MIB)),
    ("wsmgr_workspace_tasks", "Processes and threads.", lambda now: now.pids),
    ("wsmgr_workspace_scratch_bytes", "In /tmp.", lambda now: _scaled(now.scratch_mb, MIB)),
)
_COUNTERS: tuple[tuple[str, str, Value], ...] = (
    ("wsmgr_workspace_network_receive_bytes", "Bytes in.", lambda now: now.network_in_bytes),
    ("wsmgr_workspace_network_transmit_bytes", "Bytes out.", lambda now: now.network_out_bytes),
    ("wsmgr_workspace_oom_kills", "Ended for lack of memory.", lambda now: now.oom_kills),
)


def families(daemon: Daemon) -> Iterator[Metric]:
    """One for each quantity, with the label `workspace`."""
    most = daemon.metrics_per_workspace
    if not most:
        return
    now = [(entry.record.id, daemon.usage.current(entry.record.id)) for entry in daemon.fleet.page("", most)]
    for kind, quantities in ((GaugeMetricFamily, _GAUGES), (CounterMetricFamily, _COUNTERS)):
        for name, what, value in quantities:
            family = kind(name, what, labels=["workspace"])
            for workspace, current in now:
                found = value(current)
                if found is not None:
                    family.add_metric([workspace], found)
            yield family
    left_out = max(0, len(daemon.fleet) - most)
    yield GaugeMetricFamily("wsmgr_workspaces_without_series", "Beyond metrics_per_workspace.", value=left_out)


def _scaled(value: float | None, by: float) -> float | None:
    return None if value is None else value * by
