"""The same recipes as folders, unchanged packages beside the plugin: node_modules of npm, site-packages of PyPI.

A recipe of PyPI is a folder below `pypi/`: exact versions with their hashes in `requirements.txt`, the plugin's
`main.py`, an input, and `expected.py`, which asks the package for the same answer with no plugin.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.samples import bundle as npm

PYPI = Path(__file__).resolve().parent / "pypi"
PYPI_NAMES = ("pages", "calendars", "colours", "queries", "reports")
_SECONDS = 240.0


def npm_folder(name: str) -> Path:
    """A recipe with its node_modules, in the cache."""
    return npm.installed(name)


def pypi_folder(name: str) -> Path:
    """A recipe with its site-packages, in the cache; fetched once for each content of it."""
    recipe = PYPI / name
    files = sorted(path for path in recipe.iterdir() if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    cache = npm.cache()
    cache.mkdir(parents=True, exist_ok=True)
    work = cache / f"pypi-{name}-{digest.hexdigest()[:16]}"
    with npm.locked(cache / f"pypi-{name}.lock"):
        if not work.exists():
            with tempfile.TemporaryDirectory(dir=cache, prefix=f".{work.name}-") as made:
                fresh = Path(made) / "recipe"
                fresh.mkdir()
                for path in files:
                    shutil.copyfile(path, fresh / path.name)
                _fetch(fresh, name)
                fresh.rename(work)
    return work


def pypi_input(name: str) -> Any:
    """The recipe's input, a realistic document."""
    return json.loads((PYPI / name / "input.json").read_text(encoding="utf-8"))


def pypi_expected(name: str) -> Any:
    """The right answer for it, computed now by the package itself, no plugin around it."""
    work = pypi_folder(name)
    environment = {**os.environ, "PYTHONPATH": str(work / "site-packages"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        # -S: with what the recipe names alone, as in a workspace; some packages behave differently beside others.
        [sys.executable, "-S", "expected.py", "input.json"],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        timeout=npm.BUILD_SECONDS,
        check=False,
    )
    if done.returncode:
        raise npm.SampleError(f"the package behind {name} failed when asked directly\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def _fetch(folder: Path, name: str) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"),
            *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--target", "site-packages"),
            *("--requirement", "requirements.txt"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise npm.SampleError(f"pip could not fetch the packages of {name}; is the index within reach?\n{done.stderr}")
