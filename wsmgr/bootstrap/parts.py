"""The mechanisms of a real daemon, made from its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wsmgr.adapters.bundles import ArchiveUnpacker
from wsmgr.adapters.cgroup import KernelCgroups
from wsmgr.adapters.channel import RuntimeChannel
from wsmgr.adapters.host import ProcMeter
from wsmgr.adapters.plans import PlansFile
from wsmgr.adapters.podman.api_service import ApiService
from wsmgr.adapters.podman.engine import PodmanEngine
from wsmgr.adapters.podman.program import InUserNamespace, Program
from wsmgr.adapters.store.sql import SqlStore
from wsmgr.adapters.validator.checker import CodeValidator
from wsmgr.adapters.validator.rules import rules
from wsmgr.adapters.vault import FileVault
from wsmgr.adapters.volumes import VolumePool
from wsmgr.adapters.webhook import WebhookCaller, WebhookNotifier
from wsmgr.adapters.worker import NoneEngine, WorkerEngine, python_program
from wsmgr.adapters.worker import Program as RuntimeProgram
from wsmgr.bootstrap import places
from wsmgr.bootstrap.state import instance_of
from wsmgr.control.clock import SystemClock
from wsmgr.control.offload import ThreadOffload
from wsmgr.core.isolation import Isolation
from wsmgr.core.limits import MIB
from wsmgr.ports.bundles import Unpacker
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
from wsmgr.ports.validator import Validator
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
    validator: Validator
    service: ApiService | None = None
    memory_mb: float | None = None
    notifier: Notifier | None = None
    caller: Caller | None = None
    offload: Offload = field(default_factory=lambda: ThreadOffload("sampler"))
    unpacker: Unpacker = field(default_factory=ArchiveUnpacker)


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
        CodeValidator(),
        service=service,
        memory_mb=meter.host().memory_total_bytes / MIB,
        notifier=_notifier(settings),
        caller=_caller(settings),
    )


def plans_file(settings: Settings) -> PlansFile:
    """Where the plans are: the file that is set must be there, the one beside the settings need not."""
    path = settings.plans_file
    return PlansFile(path or config_file().with_name("plans.yaml"), required=path is not None, rules=frozenset(rules()))


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
    state = settings.state_dir / "workers"
    return {
        Isolation.CONTAINER: _podman(settings, instance, service),
        Isolation.WORKER: worker(state, instance),
        Isolation.NONE: NoneEngine(
            node=places.node(), runtime=_node_runtime(), state=state, instance=instance, python=_python()
        ),
    }


def worker(state: Path, instance: str) -> WorkerEngine:
    """The engine of the isolation `worker`, with its files below `state`."""
    return WorkerEngine(node=places.node(), runtime=_node_runtime(), state=state, instance=instance, python=_python())


def _node_runtime() -> Path:
    return places.containerfiles() / "node" / "runtime"


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
        filter_dir=settings.state_dir,
    )
