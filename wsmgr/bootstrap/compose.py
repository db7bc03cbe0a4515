"""Builds a daemon from settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wsmgr.adapters.cgroup import KernelCgroups
from wsmgr.adapters.channel import RuntimeChannel
from wsmgr.adapters.host import ProcMeter
from wsmgr.adapters.plans import PlansFile
from wsmgr.adapters.podman.api_service import ApiService
from wsmgr.adapters.podman.engine import PodmanEngine
from wsmgr.adapters.podman.program import InUserNamespace, Program
from wsmgr.adapters.store.sql import SqlStore
from wsmgr.adapters.vault import FileVault
from wsmgr.adapters.volumes import VolumePool
from wsmgr.adapters.webhook import WebhookCaller, WebhookNotifier
from wsmgr.adapters.worker import NoneEngine, WorkerEngine, python_program
from wsmgr.adapters.worker import Program as RuntimeProgram
from wsmgr.bootstrap import places
from wsmgr.bootstrap.state import instance_of
from wsmgr.control.admission import Admission
from wsmgr.control.adoption import Adoption
from wsmgr.control.alerts import Alerts
from wsmgr.control.attempts import Attempts
from wsmgr.control.audit import Audit
from wsmgr.control.callbacks import Callbacks
from wsmgr.control.calls import Calls
from wsmgr.control.cancelling import Cancelling
from wsmgr.control.capabilities import Capabilities
from wsmgr.control.capacity import Capacity
from wsmgr.control.clock import SystemClock
from wsmgr.control.configuration import Configuration
from wsmgr.control.configuring import Configuring, SettingsCaps
from wsmgr.control.daemon import Daemon
from wsmgr.control.data import Data
from wsmgr.control.delivery import Delivery
from wsmgr.control.demand import Demand
from wsmgr.control.engines import Engines
from wsmgr.control.executions import Executions
from wsmgr.control.feed import Feed
from wsmgr.control.fleet import Fleet
from wsmgr.control.flights import Flights
from wsmgr.control.fullness import Fullness
from wsmgr.control.groups import Groups
from wsmgr.control.health import Health, Probing
from wsmgr.control.holding import Holding
from wsmgr.control.idle import Idle
from wsmgr.control.lifecycle import Lifecycle, Rhythm
from wsmgr.control.offload import ThreadOffload
from wsmgr.control.owners import Owners
from wsmgr.control.plans import Plans
from wsmgr.control.plugins import Plugins
from wsmgr.control.queue import Queue
from wsmgr.control.readings import Readings
from wsmgr.control.reconciler import Reconciler
from wsmgr.control.retention import Keep, Retention
from wsmgr.control.rollup import Rollup
from wsmgr.control.sampler import Sampler
from wsmgr.control.starts import Starts
from wsmgr.control.steps import Steps, Timings
from wsmgr.control.tally import Tally
from wsmgr.control.terms import Defaults, Terms
from wsmgr.control.totals import Totals
from wsmgr.control.usage import Usage
from wsmgr.control.wishes import Wishes
from wsmgr.control.workspaces import Workspaces
from wsmgr.core.isolation import Isolation
from wsmgr.core.limits import MIB
from wsmgr.core.runtime import Runtime
from wsmgr.ports.caller import Caller
from wsmgr.ports.cgroup import Cgroups
from wsmgr.ports.channel import Channel
from wsmgr.ports.clock import Clock
from wsmgr.ports.engine import Engine
from wsmgr.ports.meter import Meter
from wsmgr.ports.notifier import Notifier
from wsmgr.ports.offload import Offload
from wsmgr.ports.plans import PlanSource
from wsmgr.ports.store import Store
from wsmgr.ports.vault import Vault
from wsmgr.ports.volumes import Volumes
from wsmgr.settings import Settings, config_file


@dataclass(frozen=True, slots=True)
class Adapters:
    """The mechanisms of a daemon; tests put fakes here. `service`: podman's API service, where the daemon keeps one.
    `memory_mb`: the host's memory in MiB, None where it is not known and no budget is kept. `notifier`: who is told of
    alerts. `caller`: who tells callers that a queued call is over. `offload`: where usage is read."""

    store: Store
    channel: Channel
    engines: Mapping[Isolation, Engine]
    cgroups: Cgroups
    clock: Clock
    plans: PlanSource
    meter: Meter
    volumes: Volumes
    vault: Vault
    service: ApiService | None = None
    memory_mb: float | None = None
    notifier: Notifier | None = None
    caller: Caller | None = None
    offload: Offload = field(default_factory=lambda: ThreadOffload("sampler"))


def adapters(settings: Settings) -> Adapters:
    """The real ones."""
    service = None if settings.podman_socket is not None else ApiService(settings.socket.with_name("podman.sock"))
    every = engines(settings, service)
    meter = ProcMeter(settings.state_dir)
    return Adapters(
        SqlStore(settings.database),
        RuntimeChannel(),
        every,
        KernelCgroups(),
        SystemClock(),
        plans_file(settings),
        meter,
        volumes(settings),
        FileVault(settings.secrets_keys),
        service=service,
        memory_mb=meter.host().memory_total_bytes / MIB,
        notifier=_notifier(settings),
        caller=_caller(settings),
    )


def plans_file(settings: Settings) -> PlansFile:
    """Where the plans are: the file that is set must be there, the one beside the settings need not."""
    path = settings.plans_file
    return PlansFile(path or config_file().with_name("plans.yaml"), required=path is not None)


def volumes(settings: Settings) -> VolumePool:
    """Where persistent data is."""
    return VolumePool(settings.data_dir, InUserNamespace(Program()).run)


def _notifier(settings: Settings) -> Notifier | None:
    if settings.webhook_url is None or settings.webhook_secret is None:
        return None
    return WebhookNotifier(settings.webhook_url, settings.webhook_secret.get_secret_value())


def _caller(settings: Settings) -> Caller | None:
    if settings.callbacks == "none" or settings.webhook_secret is None:
        return None
    return WebhookCaller(settings.webhook_secret.get_secret_value(), private=settings.callbacks == "any")


def engines(settings: Settings, service: ApiService | None) -> dict[Isolation, Engine]:
    """An engine for each isolation."""
    instance = instance_of(settings.state_dir)
    runtime = places.containerfiles() / "node" / "runtime"
    node = places.node()
    state = settings.state_dir / "workers"
    python = _python()
    return {
        Isolation.CONTAINER: _podman(settings, instance, service),
        Isolation.WORKER: WorkerEngine(node=node, runtime=runtime, state=state, instance=instance, python=python),
        Isolation.NONE: NoneEngine(node=node, runtime=runtime, state=state, instance=instance, python=python),
    }


def _python() -> RuntimeProgram | None:
    found = places.python()
    folder = places.containerfiles() / "python" / "runtime"
    return None if found is None else python_program(found.program, found.library, folder)


def _podman(settings: Settings, instance: str, service: ApiService | None) -> PodmanEngine:
    return PodmanEngine(
        settings.podman_socket or settings.socket.with_name("podman.sock"),
        instance,
        probe_image=settings.image,
        service=service,
        start_concurrency=settings.engine_start_concurrency,
        timeout_s=settings.engine_timeout_s,
        long_timeout_s=2 * settings.engine_timeout_s,
    )


def compose(settings: Settings, parts: Adapters) -> Daemon:
    """Wire a daemon; nothing is started."""
    clock, store, channel = parts.clock, parts.store, parts.channel
    feed = Feed()
    audit = Audit(store, clock, feed)
    every = Engines(parts.engines, clock, probe_s=settings.engine_probe_s)
    plans = Plans(parts.plans)
    defaults = Defaults(settings.isolation, settings.fallback, settings.default_plan or None)
    images = {Runtime.NODE: settings.image, Runtime.PYTHON: settings.python_image}
    terms = Terms(store, plans, defaults)
    fleet = Fleet(store, clock, terms, images, parts.volumes)
    timings = Timings(settings.start_deadline_s, settings.stop_grace_s)
    budget_mb = None if parts.memory_mb is None else parts.memory_mb * settings.memory_budget
    capacity = Capacity(fleet, clock, budget_mb)
    capabilities = Capabilities(every, parts.volumes, clock)
    data = Data(parts.volumes, fleet, store, audit, instance_of(settings.state_dir))
    starts = Starts(settings.engine_start_concurrency)
    groups = Groups(parts.cgroups, audit)
    steps = Steps(fleet, every, channel, clock, audit, groups, data, timings)
    reconciler = Reconciler(fleet, every, clock, audit, capacity, capabilities, starts, groups, data, steps)
    wishes = Wishes(fleet, capacity, reconciler, audit, clock)
    configuration = Configuration(store.settings, parts.vault)
    plugins = Plugins(store, fleet, terms, channel, clock, audit, configuration)
    caps = SettingsCaps(settings.plugin_config_bytes, settings.secrets_per_plugin, settings.secret_bytes)
    configuring = Configuring(store.settings, parts.vault, configuration, plugins, clock, audit, caps)
    demand = Demand(fleet, wishes, every, reconciler, clock, audit, settings.start_deadline_s)
    calls = Calls(channel, plugins, configuration, reconciler, clock, audit)
    tally = Tally()
    admission = Admission(fleet, terms, clock)
    attempts = Attempts(fleet, demand, calls, clock)
    flights = Flights(channel)
    executions = Executions(fleet, plugins, attempts, flights, store, clock, audit, tally, admission)
    callbacks = Callbacks(parts.caller, store, clock, audit)
    queue = Queue(executions, store, terms, admission, clock, callbacks.look, settings.async_concurrency)
    workspaces = Workspaces(fleet, wishes, every, reconciler, clock, audit)
    idle = Idle(fleet, reconciler, clock, audit, settings.retention_s)
    alerts = Alerts(store, fleet, every, capacity, clock, audit, feed, settings.isolation)
    keep = Keep(settings.executions_retention_days, settings.events_retention_days, settings.usage_retention_hours / 24)
    usage = _usage(settings, parts, fleet, tally)
    lifecycle = Lifecycle(
        store=store,
        configuring=configuring,
        engines=every,
        channel=channel,
        plans=plans,
        fleet=fleet,
        reconciler=reconciler,
        adoption=Adoption(fleet, every, reconciler, audit),
        executions=executions,
        queue=queue,
        callbacks=callbacks,
        workspaces=workspaces,
        wishes=wishes,
        idle=idle,
        health=Health(fleet, reconciler, channel, clock, Probing(settings.health_timeout_s, settings.health_failures)),
        holding=Holding(fleet, parts.cgroups, reconciler, capabilities),
        clock=clock,
        audit=audit,
        rhythm=Rhythm(settings.resync_s, settings.health_every_s, settings.sample_every_s),
        feed=feed,
        alerts=alerts,
        retention=Retention(store, clock, keep),
        usage=usage,
        fullness=Fullness(fleet, data, usage.sampler, tally, reconciler, clock, audit),
        delivery=Delivery(parts.notifier, store, clock, audit, feed) if parts.notifier else None,
    )
    return Daemon(
        store=store,
        channel=channel,
        engines=every,
        fleet=fleet,
        feed=feed,
        alerts=alerts,
        workspaces=workspaces,
        owners=Owners(store, fleet, plans, terms, reconciler, audit),
        plans=plans,
        plugins=plugins,
        configuring=configuring,
        executions=executions,
        flights=flights,
        cancelling=Cancelling(flights, queue, store),
        queue=queue,
        callbacks=callbacks,
        capabilities=capabilities,
        reconciler=reconciler,
        idle=idle,
        capacity=capacity,
        data=data,
        usage=usage,
        lifecycle=lifecycle,
        clock=clock,
        isolation=settings.isolation,
        images=images,
        started=clock.monotonic(),
        metrics_per_workspace=settings.metrics_per_workspace,
    )


def _usage(settings: Settings, parts: Adapters, fleet: Fleet, tally: Tally) -> Usage:
    totals = Totals(parts.store)
    readings = Readings(parts.meter, parts.cgroups, parts.clock)
    sampler = Sampler(fleet, readings, parts.offload, tally, totals, parts.clock, settings.sample_every_s)
    rollup = Rollup(sampler, totals, parts.store, parts.clock)
    return Usage(sampler, rollup, totals, parts.store, parts.offload, parts.clock)
