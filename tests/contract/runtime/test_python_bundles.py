"""Bundles in the Python runtime."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.contract.runtime.client import until
from tests.contract.runtime.conftest import StartRuntime
from tests.contract.runtime.launch import PythonLauncher
from tests.contract.runtime.subject import Runtime, failed

pytestmark = pytest.mark.usefixtures("launcher")


@pytest.fixture(scope="session")
def launcher() -> PythonLauncher:
    """Python only."""
    return PythonLauncher()


def bundle(**files: str) -> list[dict[str, str]]:
    """Files as the contract has them; `__` in a name stands for `/`, a name ends in .py."""
    return [
        {"path": f"{name.replace('__', '/')}.py", "data": base64.b64encode(text.encode()).decode()}
        for name, text in files.items()
    ]


def put_bundle(runtime: Runtime, entry: str, files: list[dict[str, str]], version: str = "1", slug: str = "b") -> int:
    """Puts a bundle; the status."""
    asked = {"version": version, "language": "python", "bundle": {"entry": entry, "files": files}}
    return runtime.call("PUT", f"/plugins/{slug}", asked).status


def test_a_bundle_imports_its_own_files(start: StartRuntime, folder: Path) -> None:
    """Modules beside the entry, packages with relative imports, and vendored ones below site-packages are found; the
    files of a version go with its last process."""
    runtime = start(PLUGIN_DIR=str(folder / "plugins"))
    flat = {"main": "import near, vendored\ndef execute(i, c):\n    return [near.N, vendored.V]\n", "near": "N = 1\n"}
    assert put_bundle(runtime, "main.py", bundle(**flat, **{"site-packages__vendored": "V = 2\n"})) == 200
    assert runtime.execute("b", version="1")["output"] == [1, 2]
    assert (folder / "plugins/b/1/near.py").is_file()
    inside = "from . import near\ndef execute(i, c):\n    return near.where()\n"
    files = [
        *bundle(pkg__main=inside, pkg__near="def where():\n    raise ValueError('here')\n"),
        {"path": "pkg/__init__.py", "data": ""},
    ]
    assert put_bundle(runtime, "pkg/main.py", files, "2") == 200
    error = failed(runtime.execute("b", version="2"), "Exception")
    assert 'File "plugin:b/pkg/near.py", line 2, in where' in error["stack"]
    until(lambda: not (folder / "plugins/b/1").exists())
    assert runtime.call("POST", "/reload", {"pluginSlug": "b"}).status == 200
    failed(runtime.execute("b", version="2"), "Exception")
    runtime.call("DELETE", "/plugins/b")
    until(lambda: not (folder / "plugins/b/2").exists())


@pytest.mark.parametrize(
    "path", ["../x.py", "/etc/x.py", "a/../x.py", "a//x.py", "./x.py", "a/", "", "a\\x.py", "a\nx.py", "x" * 2000]
)
def test_a_bundle_stays_in_its_folder(start: StartRuntime, folder: Path, path: str) -> None:
    """Paths that climb, are absolute or are not normalised are refused, though the daemon has looked before."""
    runtime = start(PLUGIN_DIR=str(folder / "plugins"))
    files = [*bundle(main="def execute(i, c):\n    pass\n"), {"path": path, "data": ""}]
    assert put_bundle(runtime, "main.py", files) == 422
    assert [found for found in folder.rglob("*") if found.name == "x.py"] == []
    assert put_bundle(runtime, "main.py", files[:1]) == 200


@pytest.mark.parametrize(
    "value", [{}, [], {"entry": "main.py", "files": []}, {"entry": "x.py", "files": [{"path": "y.py", "data": ""}]},
              {"entry": "y.py", "files": [{"path": "y.py", "data": "?"}]},
              {"entry": "y.py", "files": [{"path": "y.py", "data": ""}] * 2}]
)  # fmt: skip
def test_a_malformed_bundle_is_refused(shared: Runtime, value: object) -> None:
    """A bundle without files, without its entry, with a file twice or with data that is no base64 is a 422."""
    asked = {"version": "1", "language": "python", "bundle": value}
    assert shared.call("PUT", "/plugins/b", asked).status == 422


def test_a_bundle_without_room_is_refused(start: StartRuntime, folder: Path) -> None:
    """Files that cannot be written are a LoadError with the kernel's reason."""
    (folder / "file").touch()
    runtime = start(PLUGIN_DIR=str(folder / "file"))
    assert put_bundle(runtime, "main.py", bundle(main="def execute(i, c):\n    pass\n")) == 422
