"""Everything that the API may call, in one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wsmgr.control.alerts import Alerts
from wsmgr.control.callbacks import Callbacks
from wsmgr.control.cancelling import Cancelling
from wsmgr.control.capabilities import Capabilities
from wsmgr.control.capacity import Capacity
from wsmgr.control.configuring import Configuring
from wsmgr.control.data import Data
from wsmgr.control.engines import Engines
from wsmgr.control.executions import Executions
from wsmgr.control.feed import Feed
from wsmgr.control.fleet import Fleet
from wsmgr.control.flights import Flights
from wsmgr.control.idle import Idle
from wsmgr.control.lifecycle import Lifecycle
from wsmgr.control.owners import Owners
from wsmgr.control.plans import Plans
from wsmgr.control.plugins import Plugins
from wsmgr.control.queue import Queue
from wsmgr.control.reconciler import Reconciler
from wsmgr.control.usage import Usage
from wsmgr.control.workspaces import Workspaces
from wsmgr.core.isolation import Isolation
from wsmgr.core.runtime import Runtime
from wsmgr.ports.channel import Channel
from wsmgr.ports.clock import Clock
from wsmgr.ports.store import Store


@dataclass(frozen=True, slots=True)
class Daemon:
    """The parts of a running daemon. `started` is on the monotonic clock; `metrics_per_workspace` workspaces at the
    most have series of their own in the metrics."""

    store: Store
    channel: Channel
    engines: Engines
    fleet: Fleet
    feed: Feed
    alerts: Alerts
    workspaces: Workspaces
    owners: Owners
    plans: Plans
    plugins: Plugins
    configuring: Configuring
    executions: Executions
    flights: Flights
    cancelling: Cancelling
    queue: Queue
    callbacks: Callbacks
    capabilities: Capabilities
    reconciler: Reconciler
    idle: Idle
    capacity: Capacity
    data: Data
    usage: Usage
    lifecycle: Lifecycle
    clock: Clock
    isolation: Isolation
    images: Mapping[Runtime, str]
    started: float
    metrics_per_workspace: int
