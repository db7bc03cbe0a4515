"""Secrets that reach the Node.js runtime sealed."""

from __future__ import annotations

import base64
import json
import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.contract.runtime.client import Answer
from tests.contract.runtime.launch import NodeLauncher
from tests.contract.runtime.sources import source
from tests.contract.runtime.subject import Runtime


@pytest.fixture(scope="session")
def launcher() -> NodeLauncher:
    """Node.js only."""
    return NodeLauncher()


def _sealed(key: bytes, plain: object, slug: str, version: str) -> str:
    nonce, bound_to = os.urandom(12), f"{slug}\n{version}".encode()
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, json.dumps(plain).encode(), bound_to)).decode()


def _put_sealed(runtime: Runtime, sealed: str, slug: str = "given", version: str = "v1") -> Answer:
    body = {"version": version, "language": "javascript", "code": source("sees-given", "javascript"), "sealed": sealed}
    return runtime.call("PUT", f"/plugins/{slug}", body)


def _give_key(runtime: Runtime, key: bytes) -> Answer:
    return runtime.call("PUT", "/key", {"key": base64.b64encode(key).decode()})


def test_sealed_secrets_open_with_the_key_that_came_first(runtime: Runtime) -> None:
    """For the plugin and the version that they were sealed for; plain ones are taken beside that."""
    key, other = os.urandom(32), os.urandom(32)
    early = _put_sealed(runtime, _sealed(key, {"TOKEN": "sealed"}, "given", "v1"))
    assert (early.status, early.error["type"]) == (409, "no_key")
    assert _give_key(runtime, key).status == 200
    again = _give_key(runtime, other)
    assert (again.status, again.error["type"]) == (409, "key_is_set")
    assert _put_sealed(runtime, _sealed(key, {"TOKEN": "sealed"}, "given", "v1")).status == 200
    assert runtime.execute("given")["output"] == {"config": {}, "names": ["TOKEN"], "value": "sealed"}
    body = {"version": "v3", "language": "javascript", "code": source("sees-given", "javascript")}
    assert runtime.call("PUT", "/plugins/given", body | {"secrets": {"TOKEN": "plain"}}).status == 200
    assert runtime.execute("given")["output"]["value"] == "plain"


@pytest.mark.parametrize("change", ["key", "slug", "version", "cut", "flipped", "empty", "garbage"])
def test_what_was_not_sealed_for_it_does_not_open(runtime: Runtime, change: str) -> None:
    """And the answer says nothing of what is in there; the old version keeps serving."""
    key = os.urandom(32)
    assert _give_key(runtime, key).status == 200
    runtime.install("sees-given")
    sealed = _sealed(
        os.urandom(32) if change == "key" else key,
        {"TOKEN": "hidden"},
        "other" if change == "slug" else "sees-given",
        "v0" if change == "version" else "v1",
    )
    raw = bytearray(base64.b64decode(sealed))
    raw[20] ^= change == "flipped"
    texts = {"cut": sealed[:24], "empty": "", "garbage": "%%%%", "flipped": base64.b64encode(raw).decode()}
    answer = _put_sealed(runtime, texts.get(change, sealed), "sees-given")
    assert (answer.status, answer.error["type"]) == (409, "not_sealed_for_this")
    assert "hidden" not in str(answer.body)
    assert runtime.execute("sees-given")["output"] == {"config": {}, "names": [], "value": None}


@pytest.mark.parametrize("key", [None, 7, "", "c2hvcnQ=", "A" * 44, ["A"]])
def test_what_is_no_key_is_refused(shared: Runtime, key: object) -> None:
    """And none is set by it."""
    answer = shared.call("PUT", "/key", {"key": key})
    assert (answer.status, answer.error["type"]) == (422, "invalid")


@pytest.mark.parametrize("sealed", [7, ["A"], {"TOKEN": "plain"}, True])
def test_what_is_sealed_is_text(shared: Runtime, sealed: object) -> None:
    """Anything else is refused, rather than loaded without secrets."""
    body = {"version": "v1", "language": "javascript", "code": source("sees-given", "javascript"), "sealed": sealed}
    answer = shared.call("PUT", "/plugins/never-there", body)
    assert (answer.status, answer.error["type"]) == (422, "invalid")
    assert "never-there" not in shared.health()["plugins"]


@pytest.mark.parametrize("plain", [[], {"A": 1}, "text"])
def test_what_opens_is_checked_as_plain_ones_are(runtime: Runtime, plain: object) -> None:
    """Names with strings."""
    key = os.urandom(32)
    assert _give_key(runtime, key).status == 200
    assert _put_sealed(runtime, _sealed(key, plain, "given", "v1")).status in (400, 422)
    assert "given" not in runtime.health()["plugins"]
