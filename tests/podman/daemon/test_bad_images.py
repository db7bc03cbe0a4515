"""Images that do not do: one that is missing, and one whose program ends at once. Both mended under the daemon."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.podman.daemon.proxied import refusal
from tests.podman.daemon.rig import IMAGE, RealDaemon, ensure_image, output, podman, real_daemon, refuse_root, wait_for
from tests.soak.logbook import audit
from wsmgr.client import Client

ONE = "export default () => 1"


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    """A name that no image has yet."""
    refuse_root()
    ensure_image()
    name = f"localhost/wsmgr-bad-{secrets.token_hex(4)}:latest"
    bad = f"{name.removesuffix(':latest')}:bad"
    yield name
    # This name alone: without the second argument all names of the image would go.
    podman("untag", name, name)
    podman("rmi", bad)


@pytest.fixture(scope="module")
def daemon(image: str) -> Iterator[RealDaemon]:
    """A daemon that is to use it."""
    with real_daemon(image=image, health_every_s=5) as daemon:
        yield daemon


@pytest.fixture
def client(daemon: RealDaemon) -> Iterator[Client]:
    """A client of it."""
    with daemon.client() as client:
        yield client
    assert list(audit(daemon.log.read_text().splitlines())) == []


def test_an_image_that_is_missing_and_then_there(client: Client, image: str) -> None:
    """The sentence says what to run; when it was run, the next call is served."""
    error = refusal(client, "missing", "never_started")
    assert f"The image {image} is not on this host: make it with `wsmgr image build`." in error.detail
    assert error.retryable
    podman("tag", IMAGE, image)
    assert output(client, "missing", ONE) == 1


def test_a_program_that_ends_at_once(daemon: RealDaemon, client: Client, image: str) -> None:
    """Four tries with growing pauses, then ERROR with its exit code, one alert, and nothing more; recovered once the
    image is well."""
    made = podman("create", "--network=none", IMAGE)
    entrypoint = '["/usr/local/bin/node","-e","process.exit(7)"]'
    bad = f"{image.removesuffix(':latest')}:bad"
    podman("commit", "--quiet", "--change", f"ENTRYPOINT {entrypoint}", "--format", "docker", made, bad)
    podman("tag", bad, image)
    podman("rm", made)
    error = refusal(client, "brief", "never_started")
    assert "It exited by itself with code 7." in error.detail
    wait_for(lambda: client.workspace("user:brief").status == "ERROR", 40)
    assert client.workspace("user:brief").reason == (
        "It exited by itself with code 7. It failed 4 times within 300 s and is not started again until somebody "
        "recovers it."
    )
    (alert,) = wait_for(lambda: client.alerts().items, 10)
    assert "code 7" in alert.sentence
    events = [event.action for event in client.workspace_events("user:brief").items]
    assert events.count("workspace.failed") == 4
    assert not refusal(client, "brief", "never_started").retryable
    assert [event.action for event in client.workspace_events("user:brief").items].count("workspace.failed") == 4
    podman("tag", IMAGE, image)
    client.recover("user:brief", wait=20)
    assert output(client, "brief", ONE) == 1
    wait_for(lambda: not client.alerts().items, 15)
    daemon.container("user:brief")
