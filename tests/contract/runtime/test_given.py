"""What a plugin is given beside its code: configuration, secrets, and when its time ends."""

from __future__ import annotations

import time

import pytest

from tests.contract.runtime.client import Answer
from tests.contract.runtime.sources import source
from tests.contract.runtime.subject import Runtime

VALUE = "s3cret-of-the-plugin"


def put(runtime: Runtime, slug: str, case: str, version: str, **given: object) -> Answer:
    """`PUT /plugins/{slug}` with settings."""
    body = {"version": version, "language": runtime.language, "code": source(case, runtime.language), **given}
    return runtime.call("PUT", f"/plugins/{slug}", body)


def test_config_and_secrets_are_in_the_context(shared: Runtime) -> None:
    """As they were put, values and names alike."""
    config = {"greeting": "hello", "deep": {"list": [1, {"a": None}]}}
    assert put(shared, "given", "sees-given", "v1", config=config, secrets={"TOKEN": VALUE}).status == 200
    assert shared.execute("given")["output"] == {"config": config, "names": ["TOKEN"], "value": VALUE}


def test_without_any_both_are_empty(shared: Runtime) -> None:
    """Also when the caller says otherwise: what the runtime gives wins."""
    assert put(shared, "bare", "sees-given", "v1").status == 200
    outcome = shared.execute("bare", context={"config": {"forged": 1}, "secrets": {"TOKEN": "forged"}})
    assert outcome["output"] == {"config": {}, "names": [], "value": None}


def test_another_plugin_gets_nothing_of_them(shared: Runtime) -> None:
    """Each has its own."""
    assert put(shared, "first", "sees-given", "v1", secrets={"TOKEN": VALUE}).status == 200
    assert put(shared, "second", "sees-given", "v1", config={"mine": True}).status == 200
    assert shared.execute("first")["output"]["value"] == VALUE
    assert shared.execute("second")["output"] == {"config": {"mine": True}, "names": [], "value": None}


def test_another_version_has_other_settings(shared: Runtime) -> None:
    """The version is opaque: a new one with the same code replaces the old one with its settings, and a call that names
    the old one is told so."""
    assert put(shared, "turns", "sees-given", "a" * 64 + ".r1", secrets={"TOKEN": "one"}).status == 200
    assert shared.execute("turns", version="a" * 64 + ".r1")["output"]["value"] == "one"
    assert put(shared, "turns", "sees-given", "a" * 64 + ".r2", secrets={"TOKEN": "two"}).status == 200
    assert shared.execute("turns", version="a" * 64 + ".r2")["output"]["value"] == "two"
    stale = shared.call("POST", "/execute", shared.request("turns", version="a" * 64 + ".r1"))
    assert (stale.status, stale.error["type"]) == (409, "unknown_version")
    assert shared.health()["plugins"]["turns"] == "a" * 64 + ".r2"


def test_a_reload_keeps_them(shared: Runtime) -> None:
    """`POST /reload` loads the code anew, with what it is given."""
    assert put(shared, "again", "sees-given", "v1", config={"a": 1}, secrets={"TOKEN": VALUE}).status == 200
    assert shared.call("POST", "/reload", {"pluginSlug": "again"}).status == 200
    assert shared.execute("again")["output"] == {"config": {"a": 1}, "names": ["TOKEN"], "value": VALUE}


def test_they_cannot_be_changed(shared: Runtime) -> None:
    """One call leaves nothing there for the next."""
    assert (
        put(shared, "writes", "changes-given", "v1", config={"deep": {"a": 1}}, secrets={"TOKEN": VALUE}).status == 200
    )
    for _ in range(2):
        assert shared.execute("writes")["output"] == [1, VALUE]


def test_secrets_are_not_printed_by_accident(shared: Runtime) -> None:
    """Who prints or returns the whole context shows names; the control is the configuration, which is shown."""
    assert (
        put(shared, "leaks", "leaks-context", "v1", config={"shown": "c0nfig"}, secrets={"TOKEN": VALUE}).status == 200
    )
    outcome = shared.execute("leaks")
    assert outcome["success"] is True, outcome
    text = str(outcome)
    assert VALUE not in text
    assert "TOKEN" in text
    assert text.count("c0nfig") >= 2


def test_the_deadline_is_when_its_time_ends(shared: Runtime) -> None:
    """Milliseconds since the epoch."""
    shared.install("sees-deadline")
    before = time.time() * 1000
    deadline = shared.execute("sees-deadline", timeoutMs=15_000, context={"deadline": 1})["output"]
    after = time.time() * 1000
    assert before + 15_000 - 1 <= deadline <= after + 15_000 + 1


@pytest.mark.parametrize(
    "given",
    [{"config": []}, {"config": VALUE}, {"secrets": [VALUE]}, {"secrets": {"TOKEN": {"x": VALUE}}}, {"secrets": VALUE}],
)
def test_other_forms_are_refused_without_repeating_them(shared: Runtime, given: dict[str, object]) -> None:
    """422, and the answer has nothing of what was sent."""
    refused = put(shared, "never", "sees-given", "v1", **given)
    assert (refused.status, refused.error["type"]) == (422, "invalid")
    assert VALUE.encode() not in refused.raw


def test_nothing_of_them_is_in_the_output_of_the_runtime(runtime: Runtime) -> None:
    """Not in what it writes, in its health, nor in its command line and environment."""
    assert put(runtime, "keeper", "leaks-context", "v1", secrets={"TOKEN": VALUE}).status == 200
    assert runtime.execute("keeper")["success"] is True
    written = runtime.process.stdout.read_text() + runtime.process.stderr.read_text()
    assert VALUE not in written + str(runtime.health())
    for name in ("cmdline", "environ"):
        try:
            with open(f"/proc/{runtime.process.pid}/{name}", "rb") as file:  # noqa: PTH123  # a file of the kernel
                content = file.read()
        except PermissionError:
            # The Python runtime has closed what is its own.
            content = b"closed"
        assert VALUE.encode() not in content
        assert content
