"""Commands that are the daemon, or do without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer.main

from tests.cli.conftest import CommandLine
from tests.cli.fake_backend import FakeBackend
from tests.client import canned
from tests.client.fake_daemon import FakeDaemon
from wsmgr.cli.app import make_app
from wsmgr.core.capability import Capability, Level
from wsmgr.settings import Settings
from wsmgr.wire.capability import CapabilityPage
from wsmgr.wire.health import EngineHealth, Health

# httpcore leaves the socket of a connection that was not made to the garbage collector, which says so.
UNREACHED = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")


def test_every_option_of_serve_is_a_setting() -> None:
    """So that none is passed to nothing."""
    root: Any = typer.main.get_command(make_app())
    names = {parameter.name for parameter in root.commands["serve"].params}
    assert names - set(Settings.model_fields) == {"detach"}


def test_serve_passes_what_was_given(cli: CommandLine, backend: FakeBackend, tmp_path: Path) -> None:
    """As settings, over environment and file; paths are made absolute for a daemon that moves elsewhere."""
    result = cli(
        *("serve", "--socket", "run/s.sock", "--state-dir", tmp_path / "s", "--isolation", "docker", "--no-fallback"),
        *("--listen", "127.0.0.1:8123", "--image", "localhost/x:1", "--log-level", "debug", "--log-format", "json"),
        *("--default-plan", "PRO", "--database-url", "sqlite:///x.db", "--podman-socket", "/p.sock"),
    )
    assert result.code == 0
    (call, settings, _) = backend.calls[0]
    assert call == "serve"
    assert settings.socket == Path.cwd() / "run/s.sock"
    assert settings.state_dir == tmp_path / "s"
    assert (settings.isolation.value, settings.fallback, settings.image) == ("container", False, "localhost/x:1")
    assert (settings.listen, settings.default_plan) == ("127.0.0.1:8123", "PRO")
    assert (settings.log_level, settings.log_format) == ("debug", "json")
    assert (settings.database_url, settings.podman_socket) == ("sqlite:///x.db", Path("/p.sock"))


def test_what_is_not_given_is_left_to_the_environment(
    cli: CommandLine, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PLUGIN_ISOLATION is the platform's name for it."""
    monkeypatch.setenv("PLUGIN_ISOLATION", "worker")
    cli("serve", "--detach")
    assert backend.calls[0][0] == "detach"
    assert backend.calls[0][1].isolation.value == "worker"
    assert backend.calls[0][1].fallback is True


def test_exit_codes_of_the_daemon_come_through(cli: CommandLine, backend: FakeBackend) -> None:
    """Serving, starting and stopping."""
    backend.code = 7
    assert [cli("serve").code, cli("serve", "--detach").code, cli("shutdown").code] == [7, 7, 7]
    backend.code = 0
    assert cli("shutdown", "--keep").code == 0
    assert [call[2] for call in backend.calls if call[0] == "shutdown"] == [(False,), (True,)]


def test_a_setting_that_is_wrong_is_one_sentence(cli: CommandLine, backend: FakeBackend) -> None:
    """Before anything starts."""
    result = cli("serve", "--isolation", "chroot")
    assert result.code == 1
    assert "chroot" in result.err
    assert "Traceback" not in result.err
    assert backend.calls == []


def test_a_token_is_shown_once_and_alone(cli: CommandLine, backend: FakeBackend) -> None:
    """On standard output, so that it can go into a file; a name that is taken is told."""
    result = cli("token", "create", "platform")
    assert (result.code, result.out) == (0, "s3cret\n")
    assert "the one time it is shown" in result.err
    assert backend.calls[0][2] == ("platform", "service")
    again = cli("token", "create", "platform")
    assert (again.code, again.out, again.err) == (1, "", "wsmgr: There is a token platform already.\n")
    assert cli("token", "create", "x", "--role", "root").code == 2
    assert "platform  service" in cli("token", "ls").out
    assert "s3cret" not in cli("token", "ls", "--json").out


def test_a_token_can_be_revoked(cli: CommandLine) -> None:
    """One that is not there is a mistake."""
    cli("token", "create", "platform")
    assert cli("token", "rm", "platform", "--yes").out == "platform  revoked\n"
    gone = cli("token", "rm", "platform", "--yes")
    assert (gone.code, gone.err) == (1, "wsmgr: there is no token platform.\n")
    assert "There are no tokens" in cli("token", "ls").err


def test_an_image_is_built_with_progress_beside_the_result(cli: CommandLine, backend: FakeBackend) -> None:
    """And it says when there was nothing to do."""
    chosen = ("--runtime", "node", "--base", "node:24-alpine", "--version", "24.1.0", "--force")
    result = cli("image", "build", *chosen)
    assert result.out == "localhost/wsmgr-node:latest  cdcdcdcdcdcd  106 MiB  built\n"
    assert result.err == "base made\nimage made\n"
    assert backend.calls[0][2] == ("node", "node:24-alpine", "24.1.0", True)
    assert "nothing has changed" in cli("image", "build").out


def test_both_images_are_built_unless_one_is_chosen(cli: CommandLine, backend: FakeBackend) -> None:
    """Node first; a base or a version is of one of them, and which one has to be said."""
    lines = cli("image", "build").out.splitlines()
    assert [line.split()[0] for line in lines] == ["localhost/wsmgr-node:latest", "localhost/wsmgr-python:latest"]
    assert cli("image", "build", "--runtime", "python").out.startswith("localhost/wsmgr-python:latest")
    asked = [call[2] for call in backend.calls]
    assert asked == [("node", None, None, False), ("python", None, None, False), ("python", None, None, False)]
    for option in (("--base", "python:3.12-slim"), ("--version", "3.12")):
        refused = cli("image", "build", *option)
        assert (refused.code, "--runtime node or python" in refused.err) == (2, True)


def test_the_doctor_asks_the_daemon(cli: CommandLine, backend: FakeBackend, daemon: FakeDaemon) -> None:
    """Level by glyph and word, evidence, mend; what is absent and not required is no failure."""
    result = cli("doctor")
    assert result.code == 0
    assert "✔ enforced" in result.out
    assert "✖ absent    memory.max reads max\n" in result.out
    assert "1 of 2 capabilities enforced.\n" in result.out
    assert "To mend memory limit: Use cgroups v2.\n" in result.out
    assert "is healthy, up 5 s." in result.err
    assert backend.calls == []


def test_the_doctor_counts_no_gaps_of_the_isolation_none(cli: CommandLine, daemon: FakeDaemon) -> None:
    """It lacks a sandbox on purpose; its lines are shown all the same."""
    none = canned.capability("network").model_copy(update={"isolation": "none"})
    held = canned.capability("seccomp", "enforced").model_copy(update={"isolation": "container"})
    daemon.tell("GET", "/api/capabilities", CapabilityPage(items=[held, none]))
    out = cli("doctor").out
    assert "1 of 1 capability enforced.\n" in out
    assert "To mend none network: " in out


def test_the_doctor_ends_with_1_when_the_engine_is_away(cli: CommandLine, daemon: FakeDaemon) -> None:
    """The matrix alone would look well: it is of a time when the engine was there."""
    reason = "podman does not answer."
    health = Health(
        status="degraded",
        version="0.1.0",
        uptime=90,
        engine=EngineHealth(isolation="container", available=False, reason=reason),
    )
    daemon.tell("GET", "/health", health)
    result = cli("doctor")
    assert result.code == 1
    assert "is degraded, up 1 min." in result.err
    assert f"wsmgr: {reason}" in result.err
    assert cli("doctor", "--json").json["complaints"] == [reason]


def test_the_doctor_ends_with_1_when_something_required_is_not_enforced(cli: CommandLine, daemon: FakeDaemon) -> None:
    """And with 0 when it is."""
    page = CapabilityPage(items=[canned.capability(required=True)])
    daemon.tell("GET", "/api/capabilities", page)
    result = cli("doctor")
    assert result.code == 1
    assert "memory limit (required)" in result.out
    assert "wsmgr: memory limit is required and absent. Use cgroups v2." in result.err
    assert cli("doctor", "--json").json["ok"] is False
    daemon.tell("GET", "/api/capabilities", CapabilityPage(items=[canned.capability("x", "enforced", required=True)]))
    assert cli("doctor").code == 0


@UNREACHED
def test_the_doctor_tries_the_host_itself_when_no_daemon_runs(alone: CommandLine, backend: FakeBackend) -> None:
    """And says that it does."""
    backend.matrix.append(Capability("seccomp", Level.ENFORCED, "Seccomp: 2"))
    result = alone("doctor")
    assert result.code == 0
    assert "~ best effort" in result.out
    assert "✔ enforced" in result.out
    assert "To mend container memory limit: Use cgroups v2." in result.out
    assert "This host is tried without it" in result.err
    assert [call[0] for call in backend.calls] == ["probe"]
    seen = alone("doctor", "--json").json
    assert seen["source"] == "probe"
    assert (seen["items"][0]["mend"], seen["items"][0]["isolation"]) == ("Use cgroups v2.", "container")


@UNREACHED
@pytest.mark.parametrize(
    "arguments", [("ls",), ("stop", "user:a"), ("execute", "x", "--user", "a"), ("logs", "user:a")], ids=" ".join
)
def test_without_a_daemon_a_command_says_what_to_run(arguments: tuple[str, ...], alone: CommandLine) -> None:
    """One sentence, no stack, exit code 1."""
    result = alone(*arguments)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("wsmgr: No daemon is running: the socket")
    assert "`wsmgr serve --detach`" in result.err
    assert result.err.count("\n") == 1


@UNREACHED
def test_debug_shows_where_an_error_comes_from(alone: CommandLine) -> None:
    """And the sentence all the same."""
    result = alone("--debug", "ls")
    assert result.code == 1
    assert "Traceback" in result.err
    assert "DaemonUnreachable" in result.err
    assert result.err.splitlines()[-1].startswith("wsmgr: No daemon is running")


def test_an_error_of_our_own_is_named_and_not_spilt(cli: CommandLine, backend: FakeBackend) -> None:
    """A defect is no stack trace for the person who met it."""

    def broken(settings: Settings) -> int:
        raise KeyError(str(settings.base_port))

    backend.serve = broken  # type: ignore[method-assign]  # a fake that this test programs
    result = cli("serve")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("wsmgr: this should not have happened: KeyError: '4000'.")
    assert "Traceback" not in result.err


def test_the_socket_can_stand_before_the_command(alone: CommandLine, daemon: FakeDaemon) -> None:
    """Over what the environment says; a URL besides is one place too many."""
    assert alone("--socket", str(daemon.path), "ls").code == 0
    both = alone("--socket", str(daemon.path), "--url", "http://127.0.0.1:1", "ls")
    assert (both.code, both.err) == (1, "wsmgr: A socket and a URL were both given: choose one.\n")
