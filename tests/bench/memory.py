"""What the daemon and a workspace hold."""

from __future__ import annotations

import psutil

from tests.podman.daemon.rig import RealDaemon, inline

MIB = 1024 * 1024


def measure(daemon: RealDaemon) -> list[str]:
    """Resident memory of the daemon, and the unique and resident memory of a workspace's processes."""
    with daemon.client() as client:
        # Of two: what they share is nobody's own.
        for user in ("neighbour", "memory"):
            client.execute(user, inline("export default () => 1"))
    own = psutil.Process(daemon.pid).memory_info().rss / MIB
    init = psutil.Process(daemon.main_pid("user:memory"))
    runtime = psutil.Process(daemon.runtime_pid("user:memory"))
    monitor = init.parent()
    unique = sum(process.memory_full_info().uss for process in (init, runtime)) / MIB
    line = (
        f"memory:  daemon {own:.0f} MiB resident;  a workspace after one call {unique:.0f} MiB unique "
        f"({runtime.memory_info().rss / MIB:.0f} MiB resident with the shared pages of Node)"
    )
    if monitor is not None and "conmon" in monitor.name():
        line += f";  its monitor {monitor.memory_full_info().uss / MIB:.1f} MiB"
    return [line]
