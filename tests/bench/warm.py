"""A warm call through the daemon against the same call to the same runtime."""

from __future__ import annotations

import json

from tests.bench import load
from tests.podman.daemon.rig import RealDaemon
from wsmgr.core.plugin import Language, version_of

CODE = "export default (input) => ({ sum: input.a + input.b })"
INPUT = {"a": 1, "b": 2}
ROUNDS = 3


def measure(daemon: RealDaemon) -> list[str]:
    """Lines for 1, 16 and 64 clients. Both sides take turns, and the best of each counts."""
    with daemon.client() as client:
        client.put_owner("user:bench", plan="ENTERPRISE")
        client.put_plugin("user:bench", "bench", language="javascript", code=CODE)
        client.execute("bench", "bench", INPUT)
    direct_socket = f"/proc/{daemon.runtime_pid('user:bench')}/root/run/wsmgr/daemon/api.sock"
    through = load.request("/api/execute", json.dumps({"userId": "bench", "plugin": "bench", "input": INPUT}).encode())
    call = {"plugin": "bench", "version": version_of(Language.JAVASCRIPT, CODE), "input": INPUT, "context": {},
            "timeoutMs": 10_000}  # fmt: skip
    lines = []
    for clients, calls in ((1, 4000), (16, 16_000), (64, 16_000)):
        ours: list[load.Figures] = []
        theirs: list[load.Figures] = []
        for _ in range(ROUNDS):
            # Without an executionId the runtime would take a second call in flight for the same one.
            theirs.append(load.run(direct_socket, load.request("/execute", json.dumps(call).encode()),
                                   clients=clients, calls=calls))  # fmt: skip
            ours.append(load.run(str(daemon.socket), through, clients=clients, calls=calls))
        lines.append(_line(clients, ours, theirs))
    return lines


def _line(clients: int, ours: list[load.Figures], theirs: list[load.Figures]) -> str:
    p50 = min(one.p50_ms for one in ours), min(one.p50_ms for one in theirs)
    p99 = min(one.p99_ms for one in ours), min(one.p99_ms for one in theirs)
    rate = max(one.calls_s for one in ours), max(one.calls_s for one in theirs)
    return (
        f"warm, {clients:2} client{'s' if clients > 1 else ' '}:  calls/s {rate[0] / rate[1]:.2f} of direct "
        f"({rate[0]:.0f} / {rate[1]:.0f}),  p50 {p50[0] / p50[1]:.2f}x (+{p50[0] - p50[1]:.3f} ms),  "
        f"p99 {p99[0] / p99[1]:.2f}x (+{p99[0] - p99[1]:.3f} ms)"
    )
