"""Plugins of several files: what they reach, where they lie, and that nothing of them stays behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.runtime.bundles import bundle, wire
from tests.contract.runtime.client import until
from tests.contract.runtime.conftest import StartRuntime
from tests.contract.runtime.launch import NodeLauncher
from tests.contract.runtime.subject import Runtime, failed


@pytest.fixture(scope="session")
def launcher() -> NodeLauncher:
    """Node.js only: bundles of Python are in test_python_bundles.py."""
    return NodeLauncher()


@pytest.fixture
def plugins(folder: Path) -> Path:
    """Where the runtime keeps files."""
    return folder / "plugins"


@pytest.fixture
def keeper(start: StartRuntime, plugins: Path) -> Runtime:
    """A runtime whose files can be seen."""
    return start(PLUGIN_DIR=str(plugins), WSMGR_LOAD_TIMEOUT_MS="60000")


def _files(folder: Path) -> set[str]:
    """By os.walk, which passes over a folder that goes while it looks; rglob raises."""
    return {str(Path(place, name).relative_to(folder)) for place, _folders, names in os.walk(folder) for name in names}


@pytest.mark.parametrize(
    ("case", "given", "output"),
    [
        ("requires-its-own", 4, {"dep": 8}),
        ("imports-its-own", 4, {"dep": 9, "later": "later"}),
        ("reads-its-files", None, ["äöü", "index.js", ["data", "index.js"]]),
    ],
)
def test_a_bundle_reaches_its_own_files(keeper: Runtime, case: str, given: object, output: object) -> None:
    """Its modules, the packages that it brings, and data beside them."""
    answer = keeper.put_bundle("plug", bundle(case, keeper.language))
    assert answer.status == 200, answer.body
    assert keeper.execute("plug", given)["output"] == output


def test_the_folder_is_named_by_slug_and_version_and_goes_with_it(keeper: Runtime, plugins: Path) -> None:
    """The files of an old version go when its last thread has gone, those of a deleted plugin too."""
    assert keeper.put_bundle("plug", bundle("says-one", keeper.language), "v1").status == 200
    assert _files(plugins) == {"plug/v1/index.js", "plug/v1/word.js"}
    assert keeper.execute("plug", version="v1")["output"] == "one"
    assert keeper.put_bundle("plug", bundle("says-two", keeper.language), "v2").status == 200
    assert keeper.execute("plug", version="v2")["output"] == "two"
    until(lambda: all("/v2" in name for name in _files(plugins)))
    keeper.call("DELETE", "/plugins/plug")
    until(lambda: _files(plugins) == set())


def test_a_version_that_does_not_load_leaves_the_old_one_and_no_files(keeper: Runtime, plugins: Path) -> None:
    """It is refused with the file at fault; the old version goes on."""
    keeper.put_bundle("plug", bundle("says-one", keeper.language), "v1")
    answer = keeper.put_bundle("plug", bundle("is-broken", keeper.language), "v2")
    assert (answer.status, answer.error["type"]) == (422, "LoadError")
    assert (answer.error["file"], answer.error["line"]) == ("lib/broken.js", 2)
    assert keeper.execute("plug", version="v1")["output"] == "one"
    until(lambda: all(name.startswith("plug/v1/") for name in _files(plugins)))


def test_a_module_that_is_not_there_is_named(keeper: Runtime) -> None:
    """Looking for it above the bundle's folder is not what fails."""
    answer = keeper.put_bundle("plug", bundle("misses-a-module", keeper.language))
    assert answer.status == 422
    assert "not-there" in answer.error["message"]


def test_stacks_name_the_files_of_the_bundle(keeper: Runtime, plugins: Path) -> None:
    """As `plugin:<slug>/<path>`, and never the folder in the workspace."""
    keeper.put_bundle("plug", bundle("raises-in-a-file", keeper.language))
    error = failed(keeper.execute("plug"), "Exception")
    assert "plugin:plug/lib/deep.js:2:9" in error["stack"]
    assert str(plugins) not in error["stack"]


@pytest.mark.parametrize(
    "path", ["../out.js", "/etc/out.js", "a/../../out.js", "", "a//b.js", "./a.js", "a\\b.js", "a\0.js", "x" * 600]
)
def test_a_path_that_is_none_is_refused(keeper: Runtime, folder: Path, plugins: Path, path: str) -> None:
    """By the runtime as well, whatever the daemon has checked; nothing is written."""
    answer = keeper.put_bundle("plug", wire("index.js", {"index.js": "module.exports = () => 1", path: "x"}))
    assert answer.status == 422, answer.body
    assert not list(folder.rglob("out.js"))
    assert not plugins.exists() or _files(plugins) == set()


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"entry": "index.js"},
        {"entry": "other.js", "files": [{"path": "index.js", "data": ""}]},
        {"entry": "a", "files": [{"path": "a", "data": ""}, {"path": "a", "data": ""}]},
        {"entry": "a", "files": [{"path": "a", "data": ""}, {"path": "a/b", "data": ""}]},
        {"entry": "a", "files": ["a"]},
        "text",
    ],
)
def test_a_bundle_that_is_none_is_refused(keeper: Runtime, sent: object) -> None:
    """Without entry or files, with files that collide, of another form."""
    assert keeper.put_bundle("plug", sent).status == 422
    assert keeper.health()["plugins"] == {}


@pytest.mark.parametrize("version", ["../../x", "a/b", "..", ".", "x" * 256, "ä", "a b", "sha:1+cfg:2"])
def test_any_version_is_only_a_name(keeper: Runtime, folder: Path, plugins: Path, version: str) -> None:
    """Versions are opaque: what cannot be a folder's name is one by its digest."""
    assert keeper.put_bundle("plug", bundle("says-one", keeper.language), version).status == 200
    assert keeper.execute("plug", version=version)["output"] == "one"
    assert all(name.startswith("plug/") for name in _files(plugins))
    assert {entry.name for entry in folder.iterdir()} == {"0", "plugins"}


def test_calls_during_reloads_get_one_known_version_each(start: StartRuntime, plugins: Path) -> None:
    """Twenty reloads of a bundle while four callers never stop: every answer is of one version as a whole, none is
    lost, and one folder is left. (A caller that hears of a version that is gone asks again, as the daemon does.)"""
    runtime = start(PLUGIN_DIR=str(plugins), WSMGR_CONCURRENCY="4", WSMGR_LOAD_TIMEOUT_MS="60000")
    files = {"index.js": "const a = require('./a'), b = require('./b'); module.exports = () => [a, b()];"}

    def put(number: int) -> None:
        parts = {"a.js": f"module.exports = {number};", "b.js": f"module.exports = () => {number};"}
        answer = runtime.put_bundle("plug", wire("index.js", {**files, **parts}), f"v{number}")
        assert answer.status == 200, answer.body

    put(0)
    done = threading.Event()
    outputs: list[Any] = []
    lost: list[object] = []

    def caller(name: int) -> None:
        connection = runtime.connection()
        for call in range(100_000):
            if done.is_set():
                return
            request = {"plugin": "plug", "input": None, "timeoutMs": 20_000, "executionId": f"r{name}.{call}"}
            answer = connection.call("POST", "/execute", request)
            (outputs if answer.body.get("success") else lost).append(answer.body.get("output", answer.body))

    def more_than(count: int) -> Callable[[], bool]:
        return lambda: len(outputs) > count

    callers = [threading.Thread(target=caller, args=(name,)) for name in range(4)]
    for thread in callers:
        thread.start()
    try:
        for number in range(1, 21):
            put(number)
            until(more_than(len(outputs) + 4))
    finally:
        done.set()
        for thread in callers:
            thread.join()
    assert lost == []
    assert all(a == b for a, b in outputs)
    assert {a for a, _ in outputs} >= {1, 20}
    until(lambda: {name.split("/")[1] for name in _files(plugins)} == {"v20"})


def test_a_reload_uses_the_same_files(keeper: Runtime, plugins: Path) -> None:
    """Nothing is written for it, and they go at the end all the same."""
    keeper.put_bundle("plug", bundle("says-one", keeper.language), "v1")
    assert keeper.call("POST", "/reload", {"pluginSlug": "plug"}).status == 200
    assert keeper.execute("plug")["output"] == "one"
    assert _files(plugins) == {"plug/v1/index.js", "plug/v1/word.js"}
    keeper.call("DELETE", "/plugins/plug")
    until(lambda: _files(plugins) == set())
