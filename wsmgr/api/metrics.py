"""Figures of the daemon in Prometheus' text format. Read when asked for, so that a call pays nothing for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from wsmgr.control.daemon import Daemon


class _Figures(Collector):
    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    def collect(self) -> Iterator[Metric]:
        executions = self._daemon.executions
        ended = CounterMetricFamily("wsmgr_executions", "Calls that ended, by outcome.", labels=["outcome"])
        ended.add_metric(["succeeded"], executions.finished - executions.failed)
        ended.add_metric(["failed"], executions.failed)
        yield ended
        yield GaugeMetricFamily("wsmgr_executions_inflight", "Calls under way.", value=executions.inflight)
        phases = Counter(entry.serving.phase.value for entry in self._daemon.fleet)
        workspaces = GaugeMetricFamily("wsmgr_workspaces", "Workspaces by status.", labels=["status"])
        for phase, count in sorted(phases.items()):
            workspaces.add_metric([phase], count)
        yield workspaces
        restarts = sum(unit.restarts for entry in self._daemon.fleet for unit in entry.units.values())
        yield CounterMetricFamily("wsmgr_workspace_failures", "Failed or ended by themselves.", value=restarts)
        up = GaugeMetricFamily("wsmgr_engine_up", "1 when the engine does real work.", labels=["isolation"])
        for engine in self._daemon.engines:
            up.add_metric([engine.isolation.value], float(self._daemon.engines.away(engine.isolation) is None))
        yield up
        uptime = self._daemon.clock.monotonic() - self._daemon.started
        yield GaugeMetricFamily("wsmgr_uptime_seconds", "Since the daemon's start.", value=uptime)


def exposition(daemon: Daemon) -> tuple[bytes, str]:
    """The text and its media type. A registry per request: there is no global state."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(daemon))
    return generate_latest(registry), CONTENT_TYPE_LATEST
