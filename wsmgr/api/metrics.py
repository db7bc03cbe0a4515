"""Figures of the daemon in Prometheus' text format. Read when asked for, so that a call pays nothing for them.

Names and units follow Prometheus' own conventions: seconds, bytes, and counters that end in `_total`. No label holds
anything that a caller can make up without bound, but for the workspaces that the setting `metrics_per_workspace` lets
in by id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from wsmgr.api.live import LiveFleet
from wsmgr.api.metrics_workspaces import families
from wsmgr.control.daemon import Daemon
from wsmgr.core.limits import MIB


class _Figures(Collector):
    def __init__(self, daemon: Daemon, live: LiveFleet) -> None:
        self._daemon = daemon
        self._live = live

    def collect(self) -> Iterator[Metric]:
        yield from self._calls()
        yield from self._workspaces()
        yield from self._host()
        yield from self._itself()
        yield from families(self._daemon)

    def _calls(self) -> Iterator[Metric]:
        executions = self._daemon.executions
        ended = CounterMetricFamily("wsmgr_executions", "Calls that ended, by outcome.", labels=["outcome"])
        ended.add_metric(["succeeded"], executions.finished - executions.failed)
        ended.add_metric(["failed"], executions.failed)
        yield ended
        yield GaugeMetricFamily("wsmgr_executions_inflight", "Calls under way.", value=executions.inflight)

    def _workspaces(self) -> Iterator[Metric]:
        fleet = self._daemon.fleet
        phases = Counter(entry.serving.phase.value for entry in fleet)
        workspaces = GaugeMetricFamily("wsmgr_workspaces", "Workspaces by status.", labels=["status"])
        for phase, count in sorted(phases.items()):
            workspaces.add_metric([phase], count)
        yield workspaces
        restarts = sum(unit.restarts for entry in fleet for unit in entry.units.values())
        yield CounterMetricFamily("wsmgr_workspace_failures", "Failed or ended by themselves.", value=restarts)
        used = self._daemon.usage.counted
        for name, what, value in (
            ("wsmgr_workspaces_cpu_seconds", "CPU time of all workspaces.", used.cpu_s),
            ("wsmgr_workspaces_network_receive_bytes", "Bytes into all workspaces.", used.network_in_bytes),
            ("wsmgr_workspaces_network_transmit_bytes", "Bytes out of all workspaces.", used.network_out_bytes),
        ):
            yield CounterMetricFamily(name, what, value=value)

    def _host(self) -> Iterator[Metric]:
        use, capacity = self._daemon.usage.host, self._daemon.capacity
        budget_mb = capacity.budget_mb
        for name, what, value in (
            ("wsmgr_host_cpu_ratio", "Share of all cores that was busy at the last sweep.", _ratio(use.cpu_percent)),
            ("wsmgr_host_memory_used_bytes", "Memory that nobody else could have.", use.memory_used_bytes),
            ("wsmgr_host_memory_bytes", "Memory of the host.", use.memory_total_bytes),
            ("wsmgr_memory_budget_bytes", "What workspaces may be promised.", _bytes(budget_mb)),
            ("wsmgr_memory_held_bytes", "What running workspaces are promised.", _bytes(capacity.held_mb())),
            ("wsmgr_host_disk_used_bytes", "Of the disk with the daemon's state.", use.disk_used_bytes),
            ("wsmgr_host_disk_bytes", "Size of that disk.", use.disk_total_bytes),
            ("wsmgr_host_load1", "Load average of a minute.", use.load_average[0]),
        ):
            if value is not None:
                yield GaugeMetricFamily(name, what, value=value)

    def _itself(self) -> Iterator[Metric]:
        daemon, sampler = self._daemon, self._daemon.usage.sampler
        up = GaugeMetricFamily("wsmgr_engine_up", "1 when the engine does real work.", labels=["isolation"])
        for engine in daemon.engines:
            up.add_metric([engine.isolation.value], float(daemon.engines.away(engine.isolation) is None))
        yield up
        yield GaugeMetricFamily("wsmgr_alerts_open", "Open alerts.", value=daemon.alerts.open_count)
        yield CounterMetricFamily("wsmgr_records_dropped", "Records not written.", value=daemon.store.dropped_notes)
        yield CounterMetricFamily("wsmgr_sweeps", "Looks at what workspaces use.", value=sampler.sweeps)
        yield CounterMetricFamily("wsmgr_sweeps_missed", "Those that took too long.", value=sampler.missed)
        yield GaugeMetricFamily("wsmgr_sweep_seconds", "What the last one took.", value=sampler.took_s)
        yield GaugeMetricFamily("wsmgr_watchers", "Who reads the live view.", value=self._live.readers)
        uptime = daemon.clock.monotonic() - daemon.started
        yield GaugeMetricFamily("wsmgr_uptime_seconds", "Since the daemon's start.", value=uptime)


def exposition(daemon: Daemon, live: LiveFleet) -> tuple[bytes, str]:
    """The text and its media type. A registry per request: there is no global state."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(daemon, live))
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _ratio(percent: float | None) -> float | None:
    return None if percent is None else percent / 100


def _bytes(mb: float | None) -> float | None:
    return None if mb is None else mb * MIB
