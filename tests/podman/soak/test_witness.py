"""The witness of a soak sees runs that nobody else could: also two of one id, also after the workspace's end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.podman.daemon.rig import RealDaemon, podman, real_daemon
from tests.soak.plugin import code
from tests.soak.witness import Witness
from wsmgr.client import Client
from wsmgr.wire.execute import InlinePlugin

PROBE = InlinePlugin.model_validate({"slug": "probe", "language": "javascript", "code": code(0)})
TWICE = InlinePlugin.model_validate({
    "slug": "twice", "language": "javascript",
    "code": "import { appendFileSync } from 'node:fs'; export default (_, { executionId }) =>"
            "  appendFileSync('/tmp/runs', `${executionId}\\n${executionId}\\n`)",
})  # fmt: skip


@pytest.fixture
def witness() -> Iterator[Witness]:
    """One that looks."""
    witness = Witness()
    witness.start()
    yield witness
    witness.stop()


@pytest.mark.parametrize("isolation", ["container", "worker"])
def test_runs_are_counted_from_outside(witness: Witness, isolation: str) -> None:
    """One each, two where the plugin leaves two, none where none was; and the life of the workspace is known."""
    with real_daemon(isolation=isolation) as daemon, daemon.client() as client:
        answer = client.execute("a", PROBE, {"how": "ok", "ms": 0, "echo": 1}, execution_id="once")
        client.execute("a", TWICE, execution_id="double")
        client.execute("a", PROBE, {"how": "throw", "ms": 0, "echo": 1}, execution_id="thrown")
        expected = {"once": 1, "double": 2, "thrown": 1}
        assert witness.runs() == expected
        assert isinstance(answer.output, dict)
        assert witness.boots() == {answer.output["boot"]}
        end(daemon, client, isolation)
        client.execute("a", PROBE, {"how": "ok", "ms": 0, "echo": 1}, execution_id="again")
        assert witness.runs() == {**expected, "again": 1}
        assert len(witness.boots()) == 2


def end(daemon: RealDaemon, client: Client, isolation: str) -> None:
    """Its workspace is gone, with all that it held."""
    if isolation == "container":
        podman("rm", "-f", "-t", "0", daemon.container("user:a")["Id"])
    else:
        client.stop("user:a", wait=20)
