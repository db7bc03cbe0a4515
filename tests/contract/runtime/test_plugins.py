"""Plugins and their versions: loading, replacing, refusing, forgetting."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.runtime.conftest import StartRuntime
from tests.contract.runtime.subject import Runtime

PLACES = {
    ("javascript", "load-syntax-error"): (2, 13),
    ("javascript", "load-raises"): (2, 7),
    ("python", "load-syntax-error"): (2, 15),
    ("python", "load-raises"): (3, 1),
}


def test_a_put_says_what_it_loaded(runtime: Runtime) -> None:
    """A version that loads becomes current and shows in health."""
    answer = runtime.put("echo", version="abc")
    assert answer.status == 200
    assert (answer.body["slug"], answer.body["version"]) == ("echo", "abc")
    assert answer.body["loadMs"] > 0
    assert runtime.health()["plugins"] == {"echo": "abc"}


def test_putting_the_current_version_again_changes_nothing(runtime: Runtime) -> None:
    """The same version is not loaded twice: the plugin keeps what it remembers."""
    runtime.install("counts")
    assert runtime.execute("counts")["output"] == 1
    assert runtime.put("counts").body["loadMs"] == 0
    assert runtime.execute("counts")["output"] == 2


def test_a_new_version_replaces_the_old(shared: Runtime) -> None:
    """After a put the next call runs the new version, and the old one is unknown."""
    shared.put("version-one", version="1", slug="plug")
    assert shared.execute("plug", version="1")["output"] == "one"
    shared.put("version-two", version="2", slug="plug")
    assert shared.execute("plug", version="2")["output"] == "two"
    answer = shared.call("POST", "/execute", shared.request("plug", version="1"))
    assert (answer.status, answer.error["type"]) == (409, "unknown_version")


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("load-syntax-error", "SyntaxError"),
        ("load-raises", "Error: not today"),
        ("load-spins", "loading"),
        ("load-grows", "memory"),
        ("load-exits", "loaded"),
        ("load-no-function", "function"),
        ("load-unknown-module", "lodash"),
    ],
)
def test_a_version_that_does_not_load_is_refused(start: StartRuntime, case: str, says: str) -> None:
    """Each way of not loading is a 422 with a sentence, and the old version keeps serving."""
    runtime = start(WSMGR_LOAD_TIMEOUT_MS="3000" if case == "load-spins" else "10000", WSMGR_MEMORY_MB="160")
    assert runtime.put("version-one", version="1", slug="plug").status == 200
    answer = runtime.put(case, version="2", slug="plug")
    assert (answer.status, answer.error["type"]) == (422, "LoadError")
    assert says in answer.error["message"]
    assert isinstance(answer.error["stack"], str)
    assert runtime.execute("plug", version="1")["output"] == "one"
    assert runtime.health()["plugins"] == {"plug": "1"}


@pytest.mark.parametrize("case", ["load-syntax-error", "load-raises"])
def test_a_refusal_names_the_place(shared: Runtime, case: str) -> None:
    """Where the source is at fault, line and column say so."""
    error = shared.put(case).error
    assert (error["line"], error["column"]) == PLACES[shared.language, case]


@pytest.mark.parametrize("slug", ["Up", "-x", "a" * 65, "a_b", "..", "%2e%2e", "a/b", "", "%C3%BC"])
def test_a_bad_slug_is_refused(shared: Runtime, slug: str) -> None:
    """A slug that is none is a 422, whatever it looks like as a path."""
    answer = shared.call("PUT", f"/plugins/{slug}", {"version": "1", "language": shared.language, "code": "x"})
    assert (answer.status, answer.error["type"]) == (422, "invalid_slug")


def test_another_language_is_refused(shared: Runtime) -> None:
    """A runtime says which language it runs."""
    answer = shared.call("PUT", "/plugins/x", {"version": "1", "language": "cobol", "code": "x"})
    assert answer.status == 422


@pytest.mark.parametrize("body", [{}, {"version": 1}, {"version": "1"}, {"version": "", "code": ""}])
def test_an_incomplete_put_is_refused(shared: Runtime, body: dict[str, object]) -> None:
    """A put without version or code is a 422."""
    assert shared.call("PUT", "/plugins/x", {"language": shared.language, **body}).status == 422


def test_running_calls_finish_on_the_old_version(shared: Runtime, folder: Path) -> None:
    """A put while an execution runs lets that one end on the version it began with."""
    gate = folder / "gate"
    shared.put("waits-for-file", version="1", slug="plug")
    running = shared.begin("plug", str(gate), version="1")
    assert shared.put("version-two", version="2", slug="plug").status == 200
    assert shared.execute("plug", version="2")["output"] == "two"
    gate.touch()
    assert running.answer().body["output"] == "one"


def test_a_reload_starts_from_the_stored_code(shared: Runtime) -> None:
    """After a reload the plugin has forgotten what it remembered; an unknown slug is a 404."""
    shared.put("counts", version="1")
    assert [shared.execute("counts")["output"] for _ in range(2)] == [1, 2]
    answer = shared.call("POST", "/reload", {"pluginSlug": "counts"})
    assert (answer.status, answer.body["slug"], answer.body["version"]) == (200, "counts", "1")
    assert shared.execute("counts")["output"] == 1
    assert shared.call("POST", "/reload", {"pluginSlug": "nobody"}).status == 404


def test_a_deleted_plugin_is_unknown(runtime: Runtime) -> None:
    """Delete forgets a plugin, and deleting it again is no error."""
    runtime.install("echo")
    assert runtime.call("DELETE", "/plugins/echo").body == {"deleted": True}
    assert runtime.call("DELETE", "/plugins/echo").body == {"deleted": False}
    answer = runtime.call("POST", "/execute", runtime.request("echo"))
    assert (answer.status, answer.error["type"]) == (409, "unknown_version")
    assert runtime.health()["plugins"] == {}


def test_many_plugins_do_not_mean_many_threads(start: StartRuntime) -> None:
    """Far more plugins than warm threads: all answer, and the number of threads stays bounded."""
    runtime = start(WSMGR_CONCURRENCY="2", WSMGR_MEMORY_MB="128")
    names = [f"plug-{number}" for number in range(8)]
    for name in names:
        assert runtime.put("echo", slug=name).status == 200
    for name in names:
        assert runtime.execute(name, name)["output"]["input"] == name
    assert runtime.health()["threads"] <= 4
    assert set(runtime.health()["plugins"]) == set(names)
