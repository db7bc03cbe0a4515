"""The validator: a child process that parses, and what of a bundle is given to it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wsmgr.adapters.validator.places import Seen
from wsmgr.adapters.validator.rules import patterns, rules
from wsmgr.core.bundle import BundleFile, is_vendored
from wsmgr.core.plugin import Language, PluginSource
from wsmgr.core.policy import Rule, Sighting

_ROOT = Path(__file__).resolve().parents[3]
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from wsmgr.adapters.validator.child import main; main()"
_ANSWER_BYTES = 1024 * 1024
_FILE_BYTES = 8 * 1024 * 1024
_FILE_S = 10.0
_VENDORED_S = 10.0
_REMEMBERED = 20_000
_SUFFIXES = {Language.JAVASCRIPT: (".js", ".mjs", ".cjs"), Language.PYTHON: (".py",)}
_SINGLE = {Language.JAVASCRIPT: "index.js", Language.PYTHON: "main.py"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds: of the process' start, of one file, and of all that is vendored; bytes of one file."""

    file_s: float = _FILE_S
    vendored_s: float = _VENDORED_S
    file_bytes: int = _FILE_BYTES


class CodeValidator:
    """Implements ports.validator.Validator. One file at a time; the process lives as long as this does, and is made
    anew when a file has killed it. Files that were seen before are not parsed again."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._child: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._known: OrderedDict[bytes, tuple[Seen, ...]] = OrderedDict()

    @property
    def rules(self) -> Mapping[str, Rule]:
        """Those of the built-in policy."""
        return rules()

    async def check(self, plugin: PluginSource) -> Sequence[Sighting]:
        """As Validator. What people wrote themselves comes first; what is vendored has one budget of time."""
        files = list(_files(plugin))
        suffixes = _SUFFIXES[plugin.language]
        found = [Sighting(file.path, 0, 0, rule, "") for file in files if (rule := _by_name(plugin.language, file))]
        code = [file for file in files if file.path.lower().endswith(suffixes)]
        loop = asyncio.get_running_loop()
        until = loop.time() + self._bounds.vendored_s
        for file in sorted(code, key=lambda one: is_vendored(one.path)):
            late = is_vendored(file.path) and loop.time() > until
            seen = (Seen(0, 0, "check/skipped", ""),) if late else await self._file(plugin.language, file)
            found += [Sighting(file.path, *one) for one in seen]
        return found

    async def close(self) -> None:
        """End the process."""
        async with self._turn:
            await self._end()

    async def _file(self, language: Language, file: BundleFile) -> tuple[Seen, ...]:
        if len(file.data) > self._bounds.file_bytes:
            return (Seen(0, 0, "check/skipped", ""),)
        key = hashlib.sha256(language.encode() + b"\0" + file.data).digest()
        known = self._known.get(key)
        if known is None:
            async with self._turn:
                known = await self._asked(language, file.data)
            self._known[key] = known
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return known

    async def _asked(self, language: Language, data: bytes) -> tuple[Seen, ...]:
        try:
            code = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            column = error.start - data.rfind(b"\n", 0, error.start)
            return (Seen(line, column, "syntax", "this byte is not UTF-8"),)
        try:
            child = await self._running()
            assert child.stdin is not None  # noqa: S101  # it was started with pipes
            assert child.stdout is not None  # noqa: S101  # as above
            async with asyncio.timeout(self._bounds.file_s):
                child.stdin.write(json.dumps({"language": language.value, "code": code}).encode() + b"\n")
                await child.stdin.drain()
                answer = json.loads(await child.stdout.readuntil(b"\n"))
            return tuple(Seen(*one) for one in answer["seen"])
        except TimeoutError:
            await self._end()
            return (Seen(0, 0, "check/skipped", ""),)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            await self._end()
            return (Seen(0, 0, "check/failed", ""),)
        except BaseException:
            # Whoever gives up waiting leaves an answer behind that belongs to nobody.
            await self._end()
            raise

    async def _running(self) -> asyncio.subprocess.Process:
        if self._child is None or self._child.returncode is not None:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-I", "-c", _PROGRAM, str(_ROOT)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
                limit=_ANSWER_BYTES,
                start_new_session=True,
            )
        return self._child

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
        # What is left of the pipes goes with the transport, which the loop would else find open at its end.
        transport = getattr(child, "_transport", None)
        if transport is not None:
            transport.close()


def _files(plugin: PluginSource) -> Iterator[BundleFile]:
    if plugin.bundle is not None:
        yield from plugin.bundle.files
    else:
        yield BundleFile(_SINGLE[plugin.language], plugin.code.encode("utf-8", "surrogatepass"))


def _by_name(language: Language, file: BundleFile) -> str | None:
    return patterns(language.value).file(file.path)
