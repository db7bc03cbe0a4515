"""Plugins without a daemon: validated, and run in the runtime that workspaces have."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from wsmgr.adapters.bundles import ArchiveUnpacker
from wsmgr.adapters.channel import RuntimeChannel
from wsmgr.adapters.validator.checker import CodeValidator
from wsmgr.adapters.worker import WorkerEngine
from wsmgr.api.execute import response_of
from wsmgr.bootstrap.parts import plans_file, worker
from wsmgr.control.specs import spec_of
from wsmgr.control.validation import as_details, refusal
from wsmgr.core.errors import EngineFailure, InvalidRequest
from wsmgr.core.execution import Execution, ExecutionState
from wsmgr.core.ids import ExecutionId, OwnerKey, WorkspaceId, parse_slug
from wsmgr.core.isolation import Isolation
from wsmgr.core.limits import Plan
from wsmgr.core.outcome import Failure, Outcome
from wsmgr.core.plugin import Language, PluginSource, source_of_bundle, source_of_code
from wsmgr.core.policy import Finding, errors_of, judged
from wsmgr.core.runtime import SPEAKS, home_of
from wsmgr.core.workspace import Desired, Endpoint, Running, Workspace
from wsmgr.ports.bundles import Format, Room, Wishes
from wsmgr.ports.channel import Call, ChannelClosed, ChannelTimeout, ProtocolViolation
from wsmgr.settings import Settings

WORKSPACE = WorkspaceId("user:local")
_START_S = 20.0
_LOOK_EVERY_S = 0.01


class Source(Protocol):
    """A plugin as a person named it: `code` in a `language`, or an `archive` of a `media` type."""

    @property
    def slug(self) -> str: ...
    @property
    def language(self) -> str | None: ...
    @property
    def code(self) -> str | None: ...
    @property
    def archive(self) -> bytes | None: ...
    @property
    def media(self) -> str | None: ...
    @property
    def entry(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class LocalRun:
    """`answer` has the members of an execution's answer; `sandboxed`: bubblewrap was around it."""

    answer: Mapping[str, object]
    findings: Sequence[Mapping[str, object]]
    runtime: str
    sandboxed: bool


def check_plugin(settings: Settings, source: Source, plan: str | None = None) -> Sequence[Mapping[str, object]]:
    """What validation finds by the policy of a plan. Raises InvalidRequest for an archive that is refused."""

    async def check() -> Sequence[Mapping[str, object]]:
        chosen = await _plan(settings, plan)
        return [as_details(one) for one in await _validated(await _read(source, chosen), chosen)]

    return asyncio.run(check())


def run_plugin(settings: Settings, source: Source, value: object, plan: str | None = None) -> LocalRun:
    """Run it once. Raises InvalidRequest when it is refused or does not load, EngineFailure, EngineUnavailable."""
    return asyncio.run(_run(settings, source, value, plan))


async def _run(settings: Settings, source: Source, value: object, plan: str | None) -> LocalRun:
    chosen = await _plan(settings, plan)
    plugin = await _read(source, chosen)
    findings = await _validated(plugin, chosen)
    if errors_of(findings):
        raise refusal(findings)
    with tempfile.TemporaryDirectory(prefix="wsmgr-") as state:
        engine = worker(Path(state), f"local-{secrets.token_hex(4)}")
        channel = RuntimeChannel()
        try:
            await engine.open()
            before = asyncio.get_running_loop().time()
            outcome = await _execute(engine, channel, plugin, value, chosen)
            waited = asyncio.get_running_loop().time() - before - outcome.duration_ms / 1000
        finally:
            await channel.close()
            await engine.close()
        answer = response_of(_record(plugin, outcome, waited))
        return LocalRun(answer, [as_details(one) for one in findings], SPEAKS[plugin.language].value, engine.sandboxed)


async def _execute(
    engine: WorkerEngine, channel: RuntimeChannel, plugin: PluginSource, value: object, plan: Plan
) -> Outcome:
    now = datetime.now(UTC)
    workspace = home_of(WORKSPACE, plugin.language)
    record = Workspace(
        id=workspace,
        owner=OwnerKey("user:local"),
        desired=Desired.RUNNING,
        slot=0,
        generation=0,
        created_at=now,
        last_activity_at=now,
    )
    handle = await engine.create(spec_of(record, plan.limits, Isolation.WORKER, images={SPEAKS[plugin.language]: ""}))
    await engine.start(handle)
    endpoint = await _ready(engine, channel, workspace)
    try:
        refused = await channel.put(endpoint, plugin, _START_S)
        if refused is not None:
            raise _does_not_load(refused)
        call = Call(
            execution=ExecutionId(f"local-{secrets.token_hex(8)}"),
            plugin=plugin.slug,
            version=plugin.version,
            input=value,
            context={
                "owner": "user:local",
                "userId": "local",
                "organizationId": None,
                "workspace": workspace,
                "plugin": plugin.slug,
                "version": plugin.version,
            },
            timeout_s=plan.limits.execution_timeout_s,
            output_bytes=plan.limits.output_bytes,
            log_bytes=plan.limits.log_bytes,
        )
        return await channel.execute(endpoint, call)
    except (ChannelClosed, ChannelTimeout, ProtocolViolation) as error:
        raise EngineFailure(f"The runtime went away: {error}") from None


async def _ready(engine: WorkerEngine, channel: RuntimeChannel, workspace: WorkspaceId) -> Endpoint:
    try:
        async with asyncio.timeout(_START_S):
            while True:
                observed = await engine.observe(workspace)
                if not isinstance(observed, Running):
                    said = " ".join(await engine.logs(workspace, 5))
                    raise EngineFailure(f"The runtime ended at its start. {said}")
                try:
                    await channel.health(observed.endpoint, _START_S)
                except ChannelClosed:
                    await asyncio.sleep(_LOOK_EVERY_S)
                else:
                    return observed.endpoint
    except (TimeoutError, ChannelTimeout):
        raise EngineFailure(f"The runtime did not answer within {_START_S:g} s.") from None


async def _plan(settings: Settings, name: str | None) -> Plan:
    return (await plans_file(settings).read()).named(name)


async def _read(source: Source, plan: Plan) -> PluginSource:
    slug = parse_slug(source.slug)
    if source.archive is None or source.media is None:
        return source_of_code(slug, Language(source.language or Language.JAVASCRIPT), source.code or "")
    room = Room(plan.limits.plugin_bytes, plan.limits.plugin_files)
    wishes = Wishes(None if source.language is None else Language(source.language), source.entry)
    language, bundle = await ArchiveUnpacker().unpack(source.archive, Format(source.media), room, wishes)
    return source_of_bundle(slug, language, bundle)


async def _validated(plugin: PluginSource, plan: Plan) -> tuple[Finding, ...]:
    validator = CodeValidator()
    try:
        seen = await validator.check(plugin)
    finally:
        await validator.close()
    return judged(seen, validator.rules, plan.policy, softened=plan.limits.unrestricted_runtime)


def _does_not_load(refused: Failure) -> InvalidRequest:
    stack = f"\n{refused.stack}" if refused.stack else ""
    return InvalidRequest(f"The code does not load: {refused.message}{stack}")


def _record(plugin: PluginSource, outcome: Outcome, waited_s: float) -> Execution:
    state = ExecutionState.SUCCEEDED if outcome.failure is None else ExecutionState.FAILED
    return Execution(
        id=ExecutionId("local"),
        workspace=WORKSPACE,
        plugin=plugin.slug,
        version=plugin.version,
        state=state,
        isolation=Isolation.WORKER,
        degraded=False,
        cold_start=True,
        created_at=datetime.now(UTC),
        queue_ms=0.0,
        start_ms=waited_s * 1000,
        fingerprint="",
        outcome=outcome,
    )
