"""Builds the workspace images, with no registry unless a base image is asked for."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wsmgr.adapters.podman import context
from wsmgr.adapters.podman.context import Entry
from wsmgr.adapters.podman.node_files import init_entry, node_entries
from wsmgr.adapters.podman.pause import PauseProcess
from wsmgr.adapters.podman.program import Program, Progress
from wsmgr.adapters.podman.python_files import HostPython
from wsmgr.core.errors import EngineFailure
from wsmgr.core.runtime import Runtime

INPUTS_LABEL = "wsmgr.inputs"
_TIMESTAMP = "0"
_LOOK_TIMEOUT_S = 60.0
_KEPT_LINES = 20


@dataclass(frozen=True, slots=True)
class ImageReport:
    """The image under `tag`; `changed` when it was built just now. `inputs_digest` is over everything that went in."""

    id: str
    tag: str
    changed: bool
    size_bytes: int
    inputs_digest: str


class ImageBuilder:
    """Builds the image of one runtime. `containerfiles` holds `node/Containerfile` and `node/runtime/`, and the same
    for `python`; `podman` is the program that builds; `python` is what the image of Python is made of, None where this
    host has none."""

    def __init__(
        self,
        containerfiles: Path,
        runtime: Runtime = Runtime.NODE,
        *,
        python: HostPython | None = None,
        podman: str = "podman",
        timeout_s: float = 900.0,
    ) -> None:
        self._folder = containerfiles / runtime.value
        self._runtime = runtime
        self._python = python
        self._program = Program(podman)
        self._timeout_s = timeout_s

    async def ensure_image(
        self,
        tag: str,
        *,
        base: str | None = None,
        version: str | None = None,
        force: bool = False,
        progress: Progress = lambda _line: None,
    ) -> ImageReport:
        """The image, built unless one of the same inputs has the tag already; `force` builds it anyway.

        `base` (such as `node:24-alpine` or `python:3.12-slim`) brings its own program; without one the installed Node
        or Python is used, which must be `version` where that is given. Raises EngineFailure.
        """
        await PauseProcess(self._program).mend()
        arguments = [] if base is None else [f"BASE={base}", f"BASE_ID={await self._base_id(base, progress)}"]
        entries = await asyncio.to_thread(self._entries, base, version)
        inputs = await asyncio.to_thread(context.digest, entries, [_TIMESTAMP, *arguments])
        present = await self._inspect(tag)
        if present is not None and not force and present.labels.get(INPUTS_LABEL) == inputs:
            progress(f"{tag} is up to date.")
            return ImageReport(present.id, tag, False, present.size, inputs)
        await self._build(tag, entries, inputs, base, progress)
        built = await self._inspect(tag)
        if built is None:
            raise EngineFailure(f"podman build said that it made {tag}, and it is not there.")
        if present is not None and present.id != built.id:
            # What lost its tag would stay for ever. Podman refuses while a container uses it.
            await self._program.run(["rmi", present.id], _LOOK_TIMEOUT_S)
        return ImageReport(built.id, tag, True, built.size, inputs)

    def _entries(self, base: str | None, version: str | None) -> list[Entry]:
        containerfile = self._folder / "Containerfile"
        if not containerfile.is_file():
            raise EngineFailure(f"There is no {containerfile}: the installation of wsmgr is not complete.")
        program = self._program_entries(version) if base is None else []
        return [
            Entry("Containerfile", 0o644, source=containerfile),
            *context.skeleton(whole=base is None),
            init_entry(),
            *program,
            *context.tree(self._folder / "runtime", "runtime"),
        ]

    def _program_entries(self, version: str | None) -> list[Entry]:
        if self._runtime is Runtime.NODE:
            return node_entries(version)
        if self._python is None:
            raise EngineFailure("This host has no Python of version 3.11 or newer: install python3, or give a base.")
        return self._python.entries(version)

    async def _base_id(self, base: str, progress: Progress) -> str:
        present = await self._inspect(base)
        if present is None:
            await self._run(["pull", base], progress)
            present = await self._inspect(base)
        return "" if present is None else present.id

    async def _build(self, tag: str, entries: list[Entry], inputs: str, base: str | None, progress: Progress) -> None:
        with tempfile.TemporaryDirectory(prefix="wsmgr-image-") as name:
            progress("Collecting the files of the image.")
            try:
                await asyncio.to_thread(context.write, entries, Path(name))
                if self._python is not None and self._runtime is Runtime.PYTHON and base is None:
                    progress("Compiling the standard library.")
                    await asyncio.to_thread(self._python.compile, Path(name))
            except OSError as error:
                raise EngineFailure(f"The files of the image cannot be collected: {error}.") from error
            # The docker format, because the OCI format has no HEALTHCHECK.
            options = ["--format=docker", f"--timestamp={_TIMESTAMP}", f"--label={INPUTS_LABEL}={inputs}"]
            # A cache would keep every step of the build in the storage, as an image without a name.
            options += [f"--tag={tag}", "--pull=never", "--layers=false"]
            options += [] if base is None else [f"--build-arg=BASE={base}"]
            await self._run(["build", *options, f"--file={name}/Containerfile", name], progress)

    async def _inspect(self, tag: str) -> _Present | None:
        look = ["image", "inspect", tag]
        code, lines = await self._program.run(look, _LOOK_TIMEOUT_S, with_warnings=False)
        if code != 0:
            return None
        try:
            raw = json.loads("\n".join(lines))[0]
            return _Present(str(raw["Id"]), dict(raw.get("Labels") or {}), int(raw["Size"]))
        except (ValueError, LookupError, TypeError) as error:
            raise EngineFailure(f"podman image inspect {tag} gave no usable answer: {error}.") from error

    async def _run(self, arguments: Sequence[str], progress: Progress) -> None:
        code, lines = await self._program.run(arguments, self._timeout_s, progress)
        if code != 0:
            said = " ".join(lines[-_KEPT_LINES:])[-800:]
            raise EngineFailure(f"podman {arguments[0]} failed ({code}): {said}")


@dataclass(frozen=True, slots=True)
class _Present:
    id: str
    labels: dict[str, str]
    size: int
