"""Stands for a daemon that is killed: starts one worker, prints the pid of its endpoint, and waits for its end."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.adapters.worker.rig import NODE, STUB
from tests.contract.engine.rig import small_spec
from wsmgr.adapters.worker import WorkerEngine
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import Running


async def main(folder: str, instance: str, bwrap: str) -> None:
    """Never returns by itself."""
    engine = WorkerEngine(node=NODE, runtime=STUB, state=Path(folder), instance=instance, bwrap=bwrap)
    await engine.open()
    spec = small_spec(Isolation.WORKER, "", "user:a")
    await engine.start(await engine.create(spec))
    running = await engine.observe(spec.workspace)
    assert isinstance(running, Running)
    sys.stdout.write(f"{running.endpoint.pid}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
