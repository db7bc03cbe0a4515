"""Processes that outlive the daemon, and are known again by its successor: pid and start time in a file."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wsmgr.adapters.podman.process import start_ticks

ENV = "/usr/bin/env"


@dataclass(frozen=True, slots=True)
class Detached:
    """A process that we started. Every method does nothing when it is gone, or its pid is another's by now."""

    pid: int
    start_ticks: int

    @property
    def alive(self) -> bool:
        """Whether it is there. Reaps it where it is our child."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        return start_ticks(self.pid) == self.start_ticks

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; a pidfd makes sure that it reaches no other process."""
        with contextlib.suppress(ProcessLookupError):
            pidfd = os.pidfd_open(self.pid)
            try:
                if start_ticks(self.pid) == self.start_ticks:
                    signal.pidfd_send_signal(pidfd, number)
            finally:
                os.close(pidfd)

    async def ended(self, timeout_s: float) -> bool:
        """Wait for its end, up to `timeout_s`; whether it has ended."""
        try:
            pidfd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        except OSError:
            # No descriptor is left (or no pidfd on this kernel): wait blindly rather than not at all.
            await asyncio.sleep(timeout_s)
            return not self.alive
        loop = asyncio.get_running_loop()
        over = asyncio.Event()
        loop.add_reader(pidfd, over.set)
        try:
            async with asyncio.timeout(timeout_s if self.alive else 0):
                await over.wait()
        except TimeoutError:
            pass
        finally:
            loop.remove_reader(pidfd)
            os.close(pidfd)
        return not self.alive


def spawn(argv: list[str], environment: Mapping[str, str], log: Path) -> Detached:
    """Start a program in a session of its own, its output in `log`, and in `/`: it outlives the folder in which the
    daemon was started, and podman starts no container from a folder that is gone. Raises OSError when it cannot be
    executed.

    `posix_spawn`, not `subprocess`: a Popen object insists on being waited for, and this process must not be. It cannot
    change the folder itself; `env` does, and becomes the program.
    """
    if not os.access(argv[0], os.X_OK):
        raise FileNotFoundError(f"{argv[0]} is no program.")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    pid = os.posix_spawn(ENV, [ENV, "--chdir=/", *argv], environment, file_actions=files, setsid=True)
    return Detached(pid, start_ticks(pid) or 0)


def remember(process: Detached, file: Path) -> None:
    """Keep it for a successor, atomically."""
    draft = file.with_name(file.name + ".new")
    draft.write_text(json.dumps({"pid": process.pid, "start_ticks": process.start_ticks}))
    draft.replace(file)


def recall(file: Path) -> Detached | None:
    """What was remembered; None when there is nothing, or nothing that can be read."""
    try:
        kept = json.loads(file.read_text())
        return Detached(int(kept["pid"]), int(kept["start_ticks"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
