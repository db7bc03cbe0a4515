"""Reads the plans file, whatever stands under its name."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

from wsmgr.adapters.plans.document import MAX_BYTES, Mistake, parse, refused
from wsmgr.core.plans import BUILT_IN, PlanBook
from wsmgr.ports.plans import PlanSource

READ_S = 5.0


class PlansFile(PlanSource):
    """`required` False: where there is no file the built-in plans hold. `rules` are those that a policy may name."""

    def __init__(self, path: Path, *, required: bool, rules: frozenset[str] = frozenset()) -> None:
        self._path = path
        self._required = required
        self._rules = rules

    async def read(self) -> PlanBook:
        try:
            async with asyncio.timeout(READ_S):
                return await asyncio.to_thread(read, self._path, required=self._required, rules=self._rules)
        except TimeoutError:
            raise refused(str(self._path), [Mistake(None, f"it could not be read within {READ_S:g} s")]) from None


def read(path: Path, *, required: bool = True, rules: frozenset[str] = frozenset()) -> PlanBook:
    """The plans of a file. Raises InvalidPlans; never waits for a pipe or a device."""
    try:
        text = _text(path)
    except FileNotFoundError:
        if not required:
            return BUILT_IN
        raise refused(str(path), [Mistake(None, "there is no such file")]) from None
    except OSError as error:
        raise refused(str(path), [Mistake(None, f"it cannot be read: {error.strerror or error}")]) from None
    except UnicodeDecodeError as error:
        raise refused(str(path), [Mistake(None, f"it is not UTF-8 (byte {error.start})")]) from None
    return parse(text, str(path), rules)


def _text(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(None, "it is not a regular file")
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise OSError(None, f"it has more than {MAX_BYTES} bytes")
    return content.decode()
