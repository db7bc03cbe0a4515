"""A cold call against the raw engine's create + start + boot, and many cold calls at once."""

from __future__ import annotations

import asyncio
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tests.podman.daemon.rig import IMAGE, RealDaemon, inline
from wsmgr.adapters.channel import RuntimeChannel
from wsmgr.adapters.podman.engine import PodmanEngine
from wsmgr.core.ids import WorkspaceId
from wsmgr.core.isolation import Isolation
from wsmgr.core.workspace import Running, Spec
from wsmgr.ports.channel import ChannelClosed

CODE = "export default () => 1"
SAMPLES = 12
AT_ONCE = 40
SPEC = Spec(
    workspace=WorkspaceId("user:raw"), isolation=Isolation.CONTAINER, image=IMAGE, uid=20_000, generation=0,
    memory_mb=128, cpus=0.25, pids=128, nofile=512, scratch_mb=64, concurrency=4, input_bytes=1 << 20,
    output_bytes=1 << 20, log_bytes=1 << 16,
)  # fmt: skip


def measure(daemon: RealDaemon) -> list[str]:
    """Two lines. The raw side uses the same image, specification and podman service, one call after another."""
    raw = asyncio.run(_raw(daemon))
    with daemon.client() as client:
        cold = []
        for number in range(SAMPLES):
            started = time.perf_counter()
            answer = client.execute(f"cold{number}", inline(CODE))
            cold.append((time.perf_counter() - started) * 1000)
            assert answer.cold_start
            client.delete_workspace(f"user:cold{number}")
        started = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda n: client.execute(f"burst{n}", inline(CODE)).success, range(AT_ONCE)))
        burst = (time.perf_counter() - started) * 1000
        assert all(answers)
        for number in range(AT_ONCE):
            client.delete_workspace(f"user:burst{number}")
    base, ours = statistics.median(raw), statistics.median(cold)
    raw_words = "the raw create + start + boot"
    rate = AT_ONCE / burst * 1000
    cold_line = f"cold call (with plugin push):  {ours / base:.2f}x {raw_words} ({ours:.0f} / {base:.0f} ms)"
    burst_line = f"{AT_ONCE} cold calls at once:  {burst / AT_ONCE / base:.2f}x of the raw time each ({rate:.1f}/s)"
    return [cold_line, burst_line]


async def _raw(daemon: RealDaemon) -> list[float]:
    engine = PodmanEngine(daemon.podman_socket, "bench-raw", probe_image=IMAGE)
    channel = RuntimeChannel()
    await engine.open()
    samples = []
    try:
        for number in range(SAMPLES):
            spec = replace(SPEC, workspace=WorkspaceId(f"user:raw{number}"))
            started = time.perf_counter()
            handle = await engine.create(spec)
            await engine.start(handle)
            seen = await engine.observe(spec.workspace)
            assert isinstance(seen, Running)
            await _boot(channel, seen)
            samples.append((time.perf_counter() - started) * 1000)
            await engine.remove(handle)
    finally:
        await channel.close()
        await engine.close()
    return samples


async def _boot(channel: RuntimeChannel, running: Running) -> None:
    while True:
        try:
            await channel.health(running.endpoint, 5.0)
        except ChannelClosed:
            await asyncio.sleep(0.002)
        else:
            return
