"""Versions that change under load, and bundles, in real workspaces."""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.podman.daemon.rig import ApiError, RealDaemon
from wsmgr.client import Client

CALLERS = 50
RELOADS = 100


@contextmanager
def suppress_slow_loads() -> Iterator[None]:
    """Passes over the one refusal that says something of the machine and not of the code."""
    try:
        yield
    except ApiError as error:
        if "loading in time" not in error.detail:
            raise


def archive(files: dict[str, str]) -> bytes:
    """A .tar.gz."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def version(number: int) -> bytes:
    """A bundle whose two files have to be of the same version for its answers to be right."""
    return archive(
        {
            "index.js": "const a = require('./a'); module.exports = async (n) => "
            "{ await new Promise((r) => setTimeout(r, 5)); return { a, b: require('./lib/b'), n }; };",
            "a.js": f"module.exports = {number};",
            "lib/b.js": f"module.exports = {number};",
        }
    )


@pytest.mark.timeout(900)
def test_a_hundred_reloads_under_fifty_calls_in_flight(daemon: RealDaemon) -> None:
    """Each answer is of exactly one version that was put, by its output and by what the record says; none is lost, and
    once a put was answered no call that begins later gets an older version."""
    done = threading.Event()
    by_version: dict[str, int] = {}
    newest = 0
    answers: list[tuple[int, int, int, str]] = []
    failures: list[str] = []

    def caller(name: int) -> None:
        with daemon.client() as client:
            for number in range(1_000_000):
                if done.is_set():
                    return
                least = newest
                answer = client.execute("reloads", "plug", f"{name}.{number}", timeout_ms=60_000)
                if not answer.success or answer.output["n"] != f"{name}.{number}":  # type: ignore[index]
                    failures.append(str(answer))
                else:
                    output = answer.output
                    answers.append((least, output["a"], output["b"], answer.plugin_version))  # type: ignore[index]

    with daemon.client() as client, ThreadPoolExecutor(CALLERS) as pool:

        def put(number: int) -> None:
            nonlocal newest
            result = None
            bundle = version(number)
            result = None
            while result is None:
                # On a machine that has other work to do a load may run into its bound; then the old version stays.
                with suppress_slow_loads():
                    result = client.put_bundle("user:reloads", "plug", archive=bundle, media="application/gzip")
            by_version[result.version] = number
            newest = number

        # Waiting long for a turn is a matter of the machine; what is asked here is whether a call is lost.
        client.put_owner("user:reloads", overrides={"queueTimeoutMs": 600_000, "memoryMb": 512})
        put(0)
        calling = [pool.submit(caller, name) for name in range(CALLERS)]
        try:
            for number in range(1, RELOADS + 1):
                put(number)
        finally:
            done.set()
        for one in calling:
            one.result()
    assert failures == []
    assert len(answers) > RELOADS
    assert all(a == b == by_version[name] for _, a, b, name in answers)
    assert all(a >= least for least, a, _, _ in answers)


def test_a_bundle_lives_in_a_space_of_its_own(client: Client) -> None:
    """/plugins is a tmpfs that holds nothing else; it can be read by the plugin, and not be written."""
    look = """const fs = require('fs'); module.exports = () => {
        const attempt = (f) => { try { return f() } catch (e) { return e.code } };
        return { dir: __dirname, text: fs.readFileSync(__dirname + '/data.txt', 'utf8'),
          write: attempt(() => fs.writeFileSync(__dirname + "/x", "")),
          scratch: attempt(() => fs.writeFileSync('/tmp/x', '')) ?? 'done',
          others: attempt(() => fs.readdirSync('/plugins')), memory: attempt(() => fs.openSync('/proc/self/mem')),
          spawn: attempt(() => require('child_' + ['pro', 'cess'].join('')).spawnSync('/usr/local/bin/node')) }; }"""
    put = client.put_bundle(
        "user:space", "look", archive=archive({"index.js": look, "data.txt": "hello"}), media="application/gzip"
    )
    output = client.execute("space", "look").output
    assert output == {
        "dir": f"/plugins/look/{put.version}",
        "text": "hello",
        "write": "ERR_ACCESS_DENIED",
        "scratch": "done",
        "others": "ERR_ACCESS_DENIED",
        "memory": "ERR_ACCESS_DENIED",
        "spawn": "ERR_ACCESS_DENIED",
    }


def test_a_full_space_is_made_room_in(client: Client) -> None:
    """More bundles than /plugins holds: those that rest go, and come back with their next call."""
    blob = "x" * 3_500_000
    for number in range(12):
        files = {"index.js": f"module.exports = () => {number}", "blob.txt": blob}
        client.put_bundle("user:full", f"plug-{number}", archive=incompressible(files), media="application/gzip")
        assert client.execute("full", f"plug-{number}").output == number
    assert [client.execute("full", f"plug-{number}").output for number in range(12)] == list(range(12))


def incompressible(files: dict[str, str]) -> bytes:
    """Stored and not packed, so that it is no bomb."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=0) as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def test_a_bundle_survives_the_daemon_and_its_workspace(daemon: RealDaemon, client: Client) -> None:
    """Stored as it was put: a fresh container gets it with the next call."""
    put = client.put_bundle("user:keeps", "plug", archive=version(7), media="application/gzip")
    client.execute("keeps", "plug", 1)
    client.restart("user:keeps", wait=60)
    answer = client.execute("keeps", "plug", 2)
    assert (answer.output, answer.plugin_version) == ({"a": 7, "b": 7, "n": 2}, put.version)
    source = client.plugin_source("user:keeps", "plug", put.version)
    assert [file.path for file in source.files] == ["a.js", "index.js", "lib/b.js"]
