"""The launchers of one engine, by runtime."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from wsmgr.adapters.worker.launcher import Launched, Launcher
from wsmgr.adapters.worker.runtime import Program
from wsmgr.core.errors import EngineFailure, EngineUnavailable
from wsmgr.core.runtime import Runtime
from wsmgr.core.workspace import Spec

Make = Callable[[Runtime, Program], Awaitable[Launcher]]


class Launchers:
    """`make` is asked for the launcher of a runtime when the first workspace needs it; a host without Python has none
    for it, and runs JavaScript all the same. Itself a Launcher."""

    def __init__(self, programs: Mapping[Runtime, Program], make: Make) -> None:
        self._programs = programs
        self._make = make
        self._made: dict[Runtime, Launcher] = {}

    def add(self, runtime: Runtime, launcher: Launcher) -> None:
        """One that is there already."""
        self._made[runtime] = launcher

    async def launch(self, spec: Spec, name: str) -> Launched:
        """As Launcher."""
        return await (await self._of(spec.runtime)).launch(spec, name)

    async def _of(self, runtime: Runtime) -> Launcher:
        launcher = self._made.get(runtime)
        if launcher is not None:
            return launcher
        program = self._programs.get(runtime)
        if program is None:
            raise EngineFailure(
                "This host has no Python of version 3.11 or newer for workspaces that run outside of containers: "
                "install python3."
            )
        try:
            program.check()
            launcher = await self._make(runtime, program)
        except EngineUnavailable as error:
            raise EngineFailure(error.sentence) from error
        return self._made.setdefault(runtime, launcher)
