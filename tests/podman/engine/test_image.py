"""The workspace image, built with the podman program from what is installed on this host."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.podman.engine.rig import CONTAINERFILES, podman, refuse_root
from wsmgr.adapters.podman.image import ImageBuilder
from wsmgr.core.errors import EngineFailure

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


async def test_the_same_inputs_make_the_same_layers(tag: str) -> None:
    """Built twice without a cache, the layers have the same digests; the product's image is under 200 MB.

    The image's id differs: the docker format, which HEALTHCHECK needs, keeps the name of the build's container.
    """
    builder = ImageBuilder(PRODUCT)
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


async def test_what_cannot_be_built_is_explained(tag: str, tmp_path: Path) -> None:
    """Another Node, no Containerfile, a broken Containerfile, no podman, no time: a sentence each."""
    with pytest.raises(EngineFailure, match=r"Node 22 was asked for and 24\."):
        await ImageBuilder(CONTAINERFILES).ensure_image(tag, node_version="22")
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
