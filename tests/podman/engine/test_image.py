"""The workspace image, built with the podman program from what is installed on this host."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.podman.engine.rig import CONTAINERFILES, podman, refuse_root
from wsmgr.adapters.podman.image import ImageBuilder
from wsmgr.adapters.podman.python_files import HostPython
from wsmgr.bootstrap import places
from wsmgr.core.errors import EngineFailure
from wsmgr.core.runtime import Runtime

PRODUCT = Path(__file__).parents[3] / "containerfiles"


@pytest.fixture
async def tag() -> AsyncIterator[str]:
    """A tag that is gone afterwards."""
    refuse_root()
    name = f"localhost/wsmgr-image-test:{secrets.token_hex(4)}"
    yield name
    await podman("rmi", "--force", "--ignore", name)


async def _layers(tag: str) -> list[str]:
    found: list[str] = json.loads(await podman("image", "inspect", tag))[0]["RootFS"]["Layers"]
    return found


def _builder(runtime: Runtime) -> ImageBuilder:
    """Of the product's own image."""
    found = places.python()
    assert found is not None
    return ImageBuilder(PRODUCT, runtime, python=HostPython(found.program, found.library, found.version))


@pytest.mark.parametrize("runtime", Runtime)
async def test_the_same_inputs_make_the_same_layers(tag: str, runtime: Runtime) -> None:
    """Built twice without a cache, the layers have the same digests; the product's image is under 200 MB.

    The image's id differs: the docker format, which HEALTHCHECK needs, keeps the name of the build's container.
    """
    builder = _builder(runtime)
    first = await builder.ensure_image(tag, force=True)
    layers = await _layers(tag)
    second = await builder.ensure_image(tag, force=True)
    assert (first.changed, second.changed) == (True, True)
    assert await _layers(tag) == layers
    assert first.inputs_digest == second.inputs_digest
    assert second.size_bytes < 200_000_000


async def test_an_unchanged_image_is_not_built_again(tag: str) -> None:
    """The second call only looks, and says so."""
    said: list[str] = []
    builder = ImageBuilder(CONTAINERFILES)
    first = await builder.ensure_image(tag, progress=said.append)
    assert any(line.startswith("STEP") for line in said)
    said.clear()
    second = await builder.ensure_image(tag, progress=said.append)
    assert said == [f"{tag} is up to date."]
    assert (first.changed, second.changed) == (True, False)
    assert (first.id, first.inputs_digest) == (second.id, second.inputs_digest)


async def test_a_changed_runtime_is_built(tag: str, tmp_path: Path) -> None:
    """One byte more in the runtime is another image."""
    runtime = tmp_path / "node/runtime"
    runtime.mkdir(parents=True)
    (tmp_path / "node/Containerfile").write_text((CONTAINERFILES / "node/Containerfile").read_text())
    (runtime / "main.mjs").write_text("// one\n")
    builder = ImageBuilder(tmp_path)
    first = await builder.ensure_image(tag)
    (runtime / "main.mjs").write_text("// two\n")
    second = await builder.ensure_image(tag)
    assert second.changed
    assert first.id not in (await podman("images", "--all", "--quiet", "--no-trunc")).replace("sha256:", "").split()
    assert first.inputs_digest != second.inputs_digest
    assert first.id != second.id


async def test_a_base_brings_its_own_node(tag: str) -> None:
    """With a base image only the init and the users are laid over it."""
    base = tag.replace("test:", "base:")
    await ImageBuilder(CONTAINERFILES).ensure_image(base)
    try:
        report = await ImageBuilder(CONTAINERFILES).ensure_image(tag, base=base)
        assert report.changed
        layers, below = await _layers(tag), await _layers(base)
        assert layers[: len(below)] == below
        assert not (await ImageBuilder(CONTAINERFILES).ensure_image(tag, base=base)).changed
    finally:
        await podman("rmi", "--force", "--ignore", tag, base)


async def test_the_python_image_holds_what_plugins_need(tag: str) -> None:
    """The standard library with its modules in C, as bytecode that is used as it is, and no pip, no tests, no shell."""
    builder = _builder(Runtime.PYTHON)
    await builder.ensure_image(tag)
    look = (
        "import sys, os, ssl, sqlite3, ctypes, zlib, bz2, lzma, hashlib, decimal, asyncio, zoneinfo, uuid, readline\n"
        "names = [os.path.join(a, n) for a, _, found in os.walk('/') if not a.startswith('/proc') for n in found]\n"
        "print(sys.version_info >= (3, 11), asyncio.__cached__, os.path.isfile(asyncio.__cached__))\n"
        "print(sorted(n for n in names if '/test/' in n or '/pip/' in n or n.endswith(('/sh', '/bash', 'busybox'))))\n"
        "print(os.path.isfile('/opt/wsmgr/runtime/workspace_runtime/__pycache__/loop.' +"
        " sys.implementation.cache_tag + '.pyc'))\n"
    )
    python = ("--entrypoint", "/usr/local/bin/python3", tag, "-I", "-S", "-c", look)
    said = (await podman("run", "--rm", "--network", "none", "--read-only", *python)).splitlines()
    version, _, cached = said[0].split()
    assert (version, cached, said[1], said[2]) == ("True", "True", "[]", "True")


async def test_a_base_brings_its_own_python(tag: str) -> None:
    """With a base image only the init and the users are laid over it; it is not built again."""
    base = tag.replace("test:", "base:")
    await _builder(Runtime.PYTHON).ensure_image(base)
    try:
        report = await _builder(Runtime.PYTHON).ensure_image(tag, base=base)
        assert report.changed
        layers, below = await _layers(tag), await _layers(base)
        assert layers[: len(below)] == below
        assert not (await _builder(Runtime.PYTHON).ensure_image(tag, base=base)).changed
    finally:
        await podman("rmi", "--force", "--ignore", tag, base)


async def test_a_host_without_python_says_so(tag: str) -> None:
    """No Python, and another one than was asked for: a sentence each."""
    with pytest.raises(EngineFailure, match="no Python of version"):
        await ImageBuilder(PRODUCT, Runtime.PYTHON).ensure_image(tag)
    with pytest.raises(EngineFailure, match=r"Python 2\.7 was asked for and 3\."):
        await _builder(Runtime.PYTHON).ensure_image(tag, version="2.7")


async def test_what_cannot_be_built_is_explained(tag: str, tmp_path: Path) -> None:
    """Another Node, no Containerfile, a broken Containerfile, no podman, no time: a sentence each."""
    with pytest.raises(EngineFailure, match=r"Node 22 was asked for and 24\."):
        await ImageBuilder(CONTAINERFILES).ensure_image(tag, version="22")
    with pytest.raises(EngineFailure, match=r"There is no .*Containerfile"):
        await ImageBuilder(tmp_path).ensure_image(tag)
    (tmp_path / "node/runtime").mkdir(parents=True)
    (tmp_path / "node/Containerfile").write_text("FROM scratch\nCOPY nothing /\n")
    with pytest.raises(EngineFailure, match="podman build failed"):
        await ImageBuilder(tmp_path).ensure_image(tag)
    with pytest.raises(EngineFailure, match="no-such-podman cannot be run"):
        await ImageBuilder(CONTAINERFILES, podman="no-such-podman").ensure_image(tag)
    with pytest.raises(EngineFailure, match="did not end within 0 s"):
        await ImageBuilder(CONTAINERFILES, timeout_s=0.05).ensure_image(tag, force=True)
