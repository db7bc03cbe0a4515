"""What an engine needs to make a workspace."""

from __future__ import annotations

from collections.abc import Mapping

from wsmgr.core.admission import ENVELOPE_BYTES
from wsmgr.core.isolation import Isolation
from wsmgr.core.limits import Limits
from wsmgr.core.runtime import Runtime, runtime_of
from wsmgr.core.workspace import FIRST_UID, Spec, Workspace


def spec_of(
    record: Workspace, limits: Limits, isolation: Isolation, images: Mapping[Runtime, str], data: str | None = None
) -> Spec:
    """The specification of a workspace on an engine; containers are made of `images`, and get the directory `data`."""
    runtime = runtime_of(record.id)
    return Spec(
        workspace=record.id,
        isolation=isolation,
        image=images[runtime] if isolation is Isolation.CONTAINER else "",
        uid=FIRST_UID + record.slot,
        generation=record.generation,
        memory_mb=limits.memory_mb,
        cpus=limits.cpus,
        pids=limits.pids,
        nofile=limits.nofile,
        scratch_mb=limits.scratch_mb,
        concurrency=limits.concurrent_executions,
        input_bytes=body_bytes(limits),
        output_bytes=limits.output_bytes,
        log_bytes=limits.log_bytes,
        data=data if isolation is Isolation.CONTAINER else None,
        runtime=runtime,
    )


def body_bytes(limits: Limits) -> int:
    """The largest body that the runtime may get: a call's, or a plugin's, whose quotes and line ends are escaped."""
    return max(limits.input_bytes, 2 * limits.plugin_bytes) + ENVELOPE_BYTES
