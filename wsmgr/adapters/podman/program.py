"""The podman program, run to its end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress

from wsmgr.core.errors import EngineFailure

Progress = Callable[[str], None]
"""Told every line as it comes."""


class Program:
    """`podman` is its name or path."""

    def __init__(self, podman: str = "podman") -> None:
        self.name = podman

    async def run(
        self,
        arguments: Sequence[str],
        timeout_s: float,
        progress: Progress = lambda _line: None,
        *,
        with_warnings: bool = True,
    ) -> tuple[int, list[str]]:
        """Its exit code and every line it wrote. Killed with its children at the time-out. Raises EngineFailure.

        Its warnings go to standard error, and come at any time: `with_warnings` False keeps them out of JSON.
        """
        process = None
        lines: list[str] = []
        try:
            async with asyncio.timeout(timeout_s):
                process = await asyncio.create_subprocess_exec(
                    self.name,
                    *arguments,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT if with_warnings else asyncio.subprocess.DEVNULL,
                    cwd="/",
                    start_new_session=True,
                )
                assert process.stdout is not None  # noqa: S101 (for the type checker: it was asked for above)
                async for line in process.stdout:
                    lines.append(line.decode(errors="replace").rstrip())
                    progress(lines[-1])
                return await process.wait(), lines
        except TimeoutError as error:
            raise EngineFailure(f"podman {arguments[0]} did not end within {timeout_s:.0f} s.") from error
        except OSError as error:
            raise EngineFailure(f"The program {self.name} cannot be run: {error}.") from error
        finally:
            if process is not None and process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()


class InUserNamespace:
    """Other programs, run as root of the user namespace in which the containers of this user live."""

    def __init__(self, program: Program) -> None:
        self._program = program

    async def run(self, command: Sequence[str], timeout_s: float) -> tuple[int, list[str]]:
        """As `Program.run`."""
        return await self._program.run(["unshare", *command], timeout_s)
