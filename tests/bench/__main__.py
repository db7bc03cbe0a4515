"""`make bench`: ratios in one run. Nothing is asserted about time, since machines are noisy."""

from __future__ import annotations

import os
import sys

from tests.bench import cold, memory, screen, usage, warm
from tests.podman.daemon.rig import real_daemon


def main() -> int:
    """Print the table."""
    load = os.getloadavg()[0]
    sys.stdout.write(
        f"{os.cpu_count()} cores, load {load:.1f} before the start. Each line of calls is a ratio in this run.\n"
    )
    for line in screen.measure():
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    with real_daemon(resync_s=15) as daemon:
        for part in (memory, warm, cold):
            for line in part.measure(daemon):
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
    usage.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
