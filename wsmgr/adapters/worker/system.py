"""The few files of the host that a sandboxed runtime needs: the libraries that it is linked with."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from wsmgr.core.errors import EngineFailure

_LDD_S = 10.0
_ABSOLUTE = re.compile(r"(?:^|\s)(/[^\s:]+)(?= \(0x)")


async def libraries(binary: Path, *modules: Path) -> Sequence[str]:
    """Absolute paths of the loader and the shared libraries of `binary`, as the loader looks for them; and of `modules`
    that it may load, of which one may miss a library.

    Raises EngineFailure when they cannot be told.
    """
    ldd = shutil.which("ldd")
    if ldd is None:
        raise EngineFailure("ldd is not installed, so the libraries of the runtime are not known.")
    process = await asyncio.create_subprocess_exec(
        ldd,
        str(binary),
        *map(str, modules),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )
    try:
        async with asyncio.timeout(_LDD_S):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise EngineFailure(f"ldd {binary} did not answer in {_LDD_S:g} s.") from None
    text = output.decode(errors="replace")
    if process.returncode or ("not found" in text and not modules):
        raise EngineFailure(f"ldd {binary} failed: {text.strip()[:300]}")
    return sorted({match.group(1) for line in text.splitlines() if (match := _ABSOLUTE.search(line))})


def modules(trees: Sequence[Path]) -> Sequence[Path]:
    """The extension modules of Python in these folders."""
    return sorted(path for tree in trees for path in tree.glob("lib-dynload/*.so"))
