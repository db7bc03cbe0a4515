"""A runtime gets its key before its first plugin and never again; then secrets are not to be read on the way."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.contract.channel.rig import HELLO
from tests.contract.channel.server import Request, RuntimeServer, Wire, answer, raw
from wsmgr.adapters.channel import RuntimeChannel
from wsmgr.adapters.channel.keeping import NO_KEY
from wsmgr.core.masking import Mask
from wsmgr.core.plugin import Language, PluginSource, version_of
from wsmgr.core.plugin_settings import PluginSettings, runtime_version
from wsmgr.core.secret import Secret, SecretName
from wsmgr.core.workspace import Endpoint
from wsmgr.ports.channel import ChannelClosed, ProtocolViolation

VALUE = "the-value-of-the-secret"
SETTINGS = PluginSettings({"shown": True}, {SecretName("TOKEN"): Secret(VALUE)}, "r1", Mask((Secret(VALUE),)))
PYTHON = PluginSource(HELLO.slug, version_of(Language.PYTHON, "x = 1"), Language.PYTHON, "x = 1")


class KeysHere:
    """In memory."""

    def __init__(self) -> None:
        self.key: bytes | None = None
        self.asked = 0

    def of(self, at: Endpoint) -> bytes | None:
        """What was kept."""
        assert at.instance == "one"
        self.asked += 1
        return self.key

    def keep(self, at: Endpoint, key: bytes) -> None:
        """Once."""
        assert at.instance == "one"
        assert self.key is None
        self.key = key


@pytest.fixture
def keys() -> KeysHere:
    """For one runtime."""
    return KeysHere()


@pytest.fixture
async def channel(keys: KeysHere) -> AsyncIterator[RuntimeChannel]:
    """It seals, also for a runtime of this process' own user."""
    made = RuntimeChannel(grace_s=0.2, connect_timeout_s=0.2, keys=keys)
    yield made
    await made.close()


def _script(server: RuntimeServer, status: int = 200, refused: str = "") -> list[Request]:
    """The runtime's part: what it does with its key; the list of what it was asked."""
    asked = list[Request]()

    async def script(request: Request, _: Wire) -> bytes:
        asked.append(request)
        if request.path == "/key" and status != 200:
            return answer({"error": {"type": refused, "message": "no"}}, status)
        return answer({"loadMs": 1})

    server.script = script
    return asked


async def test_the_key_comes_first_and_once(
    server: RuntimeServer, at: Endpoint, channel: RuntimeChannel, keys: KeysHere
) -> None:
    """Before a plugin that has no secrets, too: it may be the one that reads what comes after it."""
    asked = _script(server)
    await asyncio.gather(*(channel.put(at, HELLO, 5) for _ in range(5)))
    await channel.put(at, HELLO, 5, SETTINGS)
    assert [request.path for request in asked].count("/key") == 1
    assert asked[0].path == "/key"
    assert base64.b64decode(str(asked[0].json()["key"])) == keys.key
    assert keys.asked == 1
    channel.forget(at)
    await channel.put(at, HELLO, 5, SETTINGS)
    assert [request.path for request in asked].count("/key") == 1


async def test_secrets_are_sealed_and_nothing_else_is(
    server: RuntimeServer, at: Endpoint, channel: RuntimeChannel, keys: KeysHere
) -> None:
    """For that plugin and version."""
    asked = _script(server)
    await channel.put(at, HELLO, 5, SETTINGS)
    body = asked[-1].json()
    assert VALUE.encode() not in asked[-1].body
    assert "secrets" not in body
    assert body["config"] == {"shown": True}
    raw = base64.b64decode(str(body["sealed"]))
    version = runtime_version(HELLO.version, "r1")
    assert keys.key is not None
    plain = AESGCM(keys.key).decrypt(raw[:12], raw[12:], f"{HELLO.slug}\n{version}".encode())
    assert json.loads(plain) == {"TOKEN": VALUE}


@pytest.mark.parametrize(("status", "kind"), [(404, "not_found"), (405, "method_not_allowed"), (501, "unsupported")])
async def test_a_runtime_without_keys_gets_them_as_they_are(
    server: RuntimeServer, at: Endpoint, channel: RuntimeChannel, keys: KeysHere, status: int, kind: str
) -> None:
    """An image of somebody's own: it is asked once, and that is remembered."""
    asked = _script(server, status, kind)
    await channel.put(at, HELLO, 5, SETTINGS)
    assert asked[-1].json()["secrets"] == {"TOKEN": VALUE}
    assert keys.key == NO_KEY
    channel.forget(at)
    await channel.put(at, HELLO, 5, SETTINGS)
    assert [request.path for request in asked].count("/key") == 1


async def test_a_runtime_may_say_so_in_its_own_words(
    server: RuntimeServer, at: Endpoint, channel: RuntimeChannel, keys: KeysHere
) -> None:
    """What it answers at a path that it does not know is nobody's business."""

    async def script(request: Request, _: Wire) -> bytes:
        return raw(b"<h1>Not Found</h1>", 404) if request.path == "/key" else answer({"loadMs": 1})

    server.script = script
    assert await channel.put(at, HELLO, 5, SETTINGS) is None
    assert keys.key == NO_KEY


async def test_without_a_key_that_is_certain_nothing_is_pushed(
    server: RuntimeServer, at: Endpoint, channel: RuntimeChannel, keys: KeysHere
) -> None:
    """A refusal for any other reason, or a connection that ends: the plugin would be there before the key."""
    asked = _script(server, 409, "key_is_set")
    with pytest.raises(ProtocolViolation, match="key_is_set"):
        await channel.put(at, HELLO, 5, SETTINGS)
    assert [request.path for request in asked] == ["/key"]

    async def hang_up(_: Request, __: Wire) -> None:
        return None

    server.script = hang_up
    with pytest.raises(ChannelClosed):
        await channel.put(at, HELLO, 5, SETTINGS)
    assert keys.key is None
    asked = _script(server)
    await channel.put(at, HELLO, 5, SETTINGS)
    assert [request.path for request in asked] == ["/key", f"/plugins/{HELLO.slug}"]


async def test_python_gets_no_key(server: RuntimeServer, at: Endpoint, channel: RuntimeChannel, keys: KeysHere) -> None:
    """None of its plugins has a descriptor of the runtime's."""
    asked = _script(server)
    await channel.put(at, PYTHON, 5, SETTINGS)
    assert [request.path for request in asked] == [f"/plugins/{PYTHON.slug}"]
    assert asked[-1].json()["secrets"] == {"TOKEN": VALUE}
    assert keys.asked == 0


async def test_nothing_is_sealed_where_nothing_hides_a_key(server: RuntimeServer, at: Endpoint) -> None:
    """A runtime of the daemon's own user (`worker`, `none`)."""
    assert at.uid == os.getuid()
    asked = _script(server)
    channel = RuntimeChannel(grace_s=0.2, connect_timeout_s=0.2)
    await channel.put(at, HELLO, 5, SETTINGS)
    await channel.close()
    assert [request.path for request in asked] == [f"/plugins/{HELLO.slug}"]
    assert asked[-1].json()["secrets"] == {"TOKEN": VALUE}
