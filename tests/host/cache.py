"""Where what takes minutes to make is kept, by the fingerprint of what it was made from."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

KEPT = 2
"""So many of a kind stay: the newest, and the one before, for whoever goes back and forth between two branches."""


def cache_dir() -> Path:
    """`WSMGR_TEST_CACHE`, which the Makefile sets to a folder of its work directory; else one of the user's."""
    named = os.environ.get("WSMGR_TEST_CACHE")
    folder = Path(named) if named else Path.home() / ".cache" / "wsmgr-host-tier"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def cached(kind: str, fingerprint: str, make: Callable[[Path], None]) -> Path:
    """The folder of that kind and fingerprint. `make` fills an empty one when there is none; one that was not filled
    to its end is never seen. Two callers make it once."""
    folder = cache_dir() / f"{kind}-{fingerprint}"
    with (cache_dir() / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            scratch = Path(tempfile.mkdtemp(prefix=f".{kind}-", dir=cache_dir()))
            try:
                make(scratch)
                scratch.rename(folder)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        os.utime(folder)
        _forget_old(kind)
    return folder


def _forget_old(kind: str) -> None:
    newest_first = sorted(cache_dir().glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in newest_first[KEPT:]:
        shutil.rmtree(folder)
