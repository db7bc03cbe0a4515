"""Podman slow, failing, forgetful: for each the right state, one clear sentence, no busy loop, and an end by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fakes.podman_proxy import Answers, Delays, Forgets
from tests.podman.daemon.proxied import CREATE, START, Proxied, proxied_daemon, refusal
from tests.podman.daemon.rig import output, podman, run, wait_for
from wsmgr.adapters.podman.names import container_name
from wsmgr.client import ApiError, Client
from wsmgr.core.ids import WorkspaceId
from wsmgr.wire.alert import Alert

ONE = "export default () => 1"
DISK_FULL = "write /var/lib/containers/storage/overlay-containers/x/userdata/config.json: no space left on device"


@pytest.fixture(scope="module")
def proxied() -> Iterator[Proxied]:
    """Workers may not stand in: podman's trouble is to be seen as it is."""
    with proxied_daemon(start_deadline_s=3, fallback=False, health_every_s=5) as proxied:
        yield proxied


@pytest.fixture
def client(proxied: Proxied) -> Iterator[Client]:
    """A client; what was spoiled is well again afterwards, and was not asked for over and over."""
    with proxied.daemon.client() as client:
        yield client
    proxied.podman.behave()
    proxied.podman.asked.clear()
    proxied.is_calm()


def test_a_start_that_takes_longer_than_callers_wait(proxied: Proxied, client: Client) -> None:
    """Callers are told, in time, that it is still being started; it is started once, and serves when it is there."""
    with proxied.podman.spoiled("POST", START, Delays(7)):
        begun = time.monotonic()
        with ThreadPoolExecutor(5) as pool:
            errors = list(pool.map(lambda _: refusal(client, "slow", "never_started"), range(5)))
        assert 2.9 < time.monotonic() - begun < 6
        assert {error.problem.model_extra["why"] for error in errors if error.problem.model_extra} == {"start_deadline"}
        assert errors[0].detail == "The workspace did not get ready within 3 s: It is being started."
        assert client.workspace("user:slow").status == "CREATING"
        assert wait_for(lambda: answered(client, "slow"), 30)
    assert proxied.made() == (1, 1)
    assert client.workspace("user:slow").restarts == 0
    proxied.daemon.container("user:slow")


def answered(client: Client, user: str) -> bool:
    """Whether a call of that user is answered now, in a container."""
    try:
        return run(client, user, ONE).isolation == "container"
    except ApiError as error:
        if not error.retryable:
            raise
        return False


@pytest.mark.parametrize(("path", "message", "sentence"), [
    (CREATE, DISK_FULL, "Free disk space for the containers' storage."),
    (START, DISK_FULL, "Free disk space for the containers' storage."),
    (CREATE, "database is locked", "Podman refused to create"),
    (START, "runc: exec failed: OCI runtime error", "`wsmgr doctor` tries every step on its own."),
], ids=["disk full at create", "disk full at start", "500 at create", "500 at start"])  # fmt: skip
def test_podman_answers_500(proxied: Proxied, client: Client, path: str, message: str, sentence: str) -> None:
    """The caller gets podman's words and the mend, and may try again; after four tries it is in ERROR and left alone,
    with one alert; once podman is well, `recover` has it serve."""
    user = f"e{abs(hash((path, message)))}"
    with proxied.podman.spoiled("POST", path, Answers(500, message)):
        error = refusal(client, user, "never_started")
        assert sentence in error.detail
        assert message.partition(":")[0] in error.detail
        wait_for(lambda: client.workspace(f"user:{user}").status == "ERROR", 40)
        shown = client.workspace(f"user:{user}")
        assert "is not started again until somebody recovers it" in shown.reason
        (alert,) = wait_for(lambda: alerts_of(client, user), 10)
        assert sentence in alert.sentence
        asked = proxied.podman.count("POST", path)
        assert asked <= 4 * 3
        hopeless = refusal(client, user, "never_started")
        assert not hopeless.retryable
        assert proxied.podman.count("POST", path) == asked
    client.recover(f"user:{user}", wait=20)
    assert output(client, user, ONE) == 1
    wait_for(lambda: not alerts_of(client, user), 15)


def alerts_of(client: Client, user: str) -> list[Alert]:
    """The open alerts of a user's workspace."""
    return [one for one in client.alerts().items if one.workspace == f"user:{user}"]


def test_podman_answers_500_once(proxied: Proxied, client: Client) -> None:
    """The next call has it started, with nobody's help."""
    proxied.podman.spoil("POST", CREATE, Answers(500, "database is locked"), times=1)
    assert "database is locked" in refusal(client, "once", "never_started").detail
    assert output(client, "once", ONE) == 1
    assert client.workspace("user:once").restarts == 1


def test_podman_answers_500_to_everything(proxied: Proxied, client: Client) -> None:
    """That is an engine that is away: what runs serves on, what does not is refused with its words; then it is back."""
    output(client, "warm", ONE)
    with proxied.podman.spoiled("GET", r"/containers/.*", Answers(500, "unable to open database file")):
        wait_for(lambda: client.health().status == "degraded", 30)
        assert output(client, "warm", ONE) == 1
        error = refusal(client, "cold", "engine_unavailable")
        assert "unable to open database file" in error.detail
        asked = len(proxied.podman.asked)
        begun = time.monotonic()
        wait_for(lambda: time.monotonic() - begun > 4, 6)
        assert len(proxied.podman.asked) - asked < 40
    wait_for(lambda: client.health().status == "healthy", 20)
    assert output(client, "cold", ONE) == 1
    assert client.workspace("user:warm").restarts == 0


def test_an_answer_that_is_lost_is_no_second_container(proxied: Proxied, client: Client) -> None:
    """Podman made it and the answer never came: the name is taken by wsmgr's own, which is used."""
    proxied.podman.spoil("POST", CREATE, Forgets(), times=1)
    wait_for(lambda: answered(client, "lost"), 30)
    proxied.daemon.container("user:lost")
    proxied.podman.spoil("POST", r"/containers/[^/]+/start", Forgets(), times=1)
    client.restart("user:lost")
    wait_for(lambda: answered(client, "lost"), 30)
    proxied.daemon.container("user:lost")


def test_a_stranger_that_has_the_name(proxied: Proxied, client: Client) -> None:
    """It is left alone and named; once somebody has removed it, the next call is served."""
    instance = (proxied.daemon.state / "instance").read_text().strip()
    name = container_name(instance, WorkspaceId("user:taken"))
    stranger = podman("create", "--network=none", "--name", name, "localhost/wsmgr-node:latest")
    try:
        error = refusal(client, "taken", "never_started")
        assert error.detail == f"The name {name} is taken by a container that is not wsmgr's; remove that one."
        assert error.retryable
        assert stranger in podman("ps", "-aq", "--no-trunc").split()
    finally:
        podman("rm", stranger)
    wait_for(lambda: answered(client, "taken"), 20)
