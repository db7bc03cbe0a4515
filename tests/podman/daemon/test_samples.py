"""Public npm packages, unchanged, as plugins, on real documents: the same output as the library gives by itself."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.podman.daemon.rig import RealDaemon
from tests.samples.bundle import NAMES, bundle, expected, sample_input
from wsmgr.client import Client


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
