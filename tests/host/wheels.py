"""The Python packages that the host under test installs, since it reaches no package index."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.host.cache import cached
from tests.host.progress import Say
from tests.host.recipe import TREE

PYTHON = "3.11"
PLATFORMS = ("manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
DOWNLOAD_S = 900


def wheelhouse(say: Say) -> Path:
    """A folder with the wheels of the lock that the program and its build need, for Debian 12's Python."""
    project = tomllib.loads((TREE / "pyproject.toml").read_text())
    wanted = sorted([*project["project"]["dependencies"], *project["build-system"]["requires"]])
    lock = TREE / "requirements.lock"
    told = "\n".join([*wanted, lock.read_text(), Path(__file__).read_text()])

    def make(folder: Path) -> None:
        say(f"Collecting the wheels of {len(wanted)} packages and what they need")
        command = [
            sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--only-binary=:all:",
            f"--dest={folder}", f"--constraint={lock}", "--implementation=cp", f"--python-version={PYTHON}",
            *(f"--platform={platform}" for platform in PLATFORMS), *wanted,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_S, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"pip download failed: {done.stderr[-4000:]}")

    return cached("wheels", hashlib.sha256(told.encode()).hexdigest()[:16], make)
