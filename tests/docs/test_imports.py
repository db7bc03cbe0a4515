"""What the inner packages bring with them when they are imported. (What the command line brings: tests/cli.)"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.docs.page import ROOT

pytestmark = pytest.mark.slow
IMPORT_ALL = """
import importlib, json, pkgutil, sys
package = importlib.import_module(sys.argv[1])
names = [one.name for one in pkgutil.walk_packages(getattr(package, "__path__", ()), package.__name__ + ".")]
for name in names:
    importlib.import_module(name)
print(json.dumps([names, list(sys.modules)]))
"""

OUTSIDE = {
    "podman", "sqlmodel", "sqlalchemy", "alembic", "psycopg", "fastapi", "starlette", "uvicorn", "uvloop", "httptools",
    "httpx", "textual", "ansible", "ansible_runner", "structlog", "prometheus_client", "psutil", "typer", "rich",
    "pydantic_settings", "yaml",
}  # fmt: skip
IMPURE = {"pydantic", "orjson", "asyncio", "logging", "socket", "subprocess"}


def _imports(package: str) -> tuple[list[str], set[str]]:
    """The modules of a package, and everything that is loaded once all of them are."""
    command = [sys.executable, "-c", IMPORT_ALL, package]
    seen = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT)
    names, loaded = json.loads(seen.stdout)
    return names, set(loaded)


@pytest.mark.parametrize(
    ("package", "module", "absent", "ours"),
    [
        ("wsmgr.core", "wsmgr.core.reconcile", OUTSIDE | IMPURE, ("wsmgr.core",)),
        ("wsmgr.ports", "wsmgr.ports.engine", OUTSIDE | IMPURE, ("wsmgr.core", "wsmgr.ports")),
        ("wsmgr.wire", "wsmgr.wire.execute", OUTSIDE | {"asyncio", "subprocess"}, ("wsmgr.wire",)),
        ("wsmgr.client", "wsmgr.client.blocking", OUTSIDE - {"httpx", "rich"}, ("wsmgr.client", "wsmgr.wire")),
    ],
)
def test_an_inner_package_brings_nothing_of_the_outside(
    package: str, module: str, absent: set[str], ours: tuple[str, ...]
) -> None:
    """Every module of it is imported in a fresh process."""
    names, loaded = _imports(package)
    assert module in names
    assert not loaded & absent
    assert [name for name in loaded if name.startswith("wsmgr.") and not name.startswith(ours)] == []


@pytest.mark.parametrize(
    ("package", "brought"),
    [
        ("wsmgr.adapters.podman", "podman"),
        ("wsmgr.adapters.store", "sqlmodel"),
        ("wsmgr.api", "fastapi"),
        ("wsmgr.wire", "pydantic"),
        ("wsmgr.control", "asyncio"),
    ],
)
def test_an_outer_package_brings_what_it_is_for(package: str, brought: str) -> None:
    """The control: the same look sees what is there."""
    assert brought in _imports(package)[1]
