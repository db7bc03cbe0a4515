"""Public npm packages, unchanged, as plugins, on real documents: the same output as the library gives by itself."""

from __future__ import annotations

from typing import Literal, get_args

import pytest

from tests.podman.daemon.rig import RealDaemon
from tests.samples.bundle import FOLDER_NAMES, NAMES, bundle, expected, sample_input
from tests.samples.folders import PYPI_NAMES, npm_folder, pypi_expected, pypi_folder, pypi_input
from wsmgr.cli.packing import pack
from wsmgr.client import ApiError, Client
from wsmgr.wire.names import Language


@pytest.mark.parametrize("module", ["esm", "cjs"])
@pytest.mark.parametrize("name", NAMES)
def test_a_public_package_gives_what_it_gives_outside(
    daemon: RealDaemon, client: Client, name: str, module: Literal["esm", "cjs"]
) -> None:
    """Bundled as ESM and as CommonJS; the expectation comes from running the library directly, at this very moment."""
    code = bundle(name, module).read_text()
    client.put_plugin("user:samples", name, language="javascript", code=code)
    answer = client.execute("samples", name, sample_input(name))
    assert answer.success, answer.error
    assert answer.output == expected(name)
    assert (answer.isolation, answer.degraded) == ("container", False)
    assert daemon.container("user:samples")["State"] == "running"


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", FOLDER_NAMES)
def test_a_public_package_runs_as_a_folder(client: Client, name: str) -> None:
    """With its node_modules beside the plugin, as npm put them there, and nothing bundled."""
    _as_owner_of_large_plugins(client, "folders")
    packed = pack(npm_folder(name))
    put = client.put_bundle("user:folders", name, archive=packed.archive, media="application/gzip")
    answer = client.execute("folders", name, sample_input(name))
    assert answer.success, answer.error
    assert answer.output == expected(name)
    assert answer.plugin_version == put.version
    assert all(warning.severity == "warning" for warning in put.warnings)


@pytest.mark.parametrize("name", PYPI_NAMES)
def test_a_public_package_of_python_runs_as_a_folder(client: Client, name: str) -> None:
    """With its site-packages beside the plugin, as pip put them there."""
    _as_owner_of_large_plugins(client, "snakes")
    if "python" not in get_args(Language):
        # The daemon says so itself; with the Python runtime the rest of this test is in force.
        with pytest.raises(ApiError, match="Only JavaScript"):
            client.put_bundle("user:snakes", name, archive=pack(pypi_folder(name)).archive, media="application/gzip")
        return
    client.put_bundle("user:snakes", name, archive=pack(pypi_folder(name)).archive, media="application/gzip")
    answer = client.execute("snakes", name, pypi_input(name))
    assert answer.success, answer.error
    assert answer.output == pypi_expected(name)


def _as_owner_of_large_plugins(client: Client, user: str) -> None:
    limits = {"pluginBytes": 32 * 2**20, "pluginFiles": 20_000, "pluginSpaceMb": 256, "memoryMb": 512}
    client.put_owner(f"user:{user}", overrides=limits)
