"""One host for the whole run: booted, set up by the project's own playbooks, driven over ssh-forwarded sockets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.host import Host
from tests.host.kept import fresh, kept
from tests.host.patient import PatientClient
from tests.host.progress import Say

HERE = Path(__file__).parent
TEST_S = 3600
"""Bounds what hangs; no test comes near it. It holds for the boot and the set-up as well, which belong to the first."""

UNCLOSED = "Exception ignored in. <socket.socket"

_host = pytest.StashKey[Host]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The usual time-out is one for tests on a real processor."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(TEST_S))
            # httpcore leaves the sockets of failed connections to the garbage collector; a reboot makes many.
            item.add_marker(pytest.mark.filterwarnings(f"ignore:{UNCLOSED}:pytest.PytestUnraisableExceptionWarning"))


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Say:
    """Lines for whoever watches, also while pytest keeps the output of tests to itself."""
    writer = request.config.get_terminal_writer()
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def line(text: str) -> None:
        with capture.global_and_fixture_disabled():
            writer.line(f"  | {text}")
            writer.flush()

    return line


@pytest.fixture(scope="session")
def host(say: Say, request: pytest.FixtureRequest) -> Iterator[Host]:
    """The host, with its daemon answering. Tests leave it as it was, but for workspaces of their own.

    `WSMGR_TEST_HOST=kept` takes the one of `python -m tests.host.shell` as it stands.
    """
    if os.environ.get("WSMGR_TEST_HOST") == "kept":
        host = kept(say)
        request.config.stash[_host] = host
        host.wait_until_serving()
        yield host
        return
    with fresh(say) as host:
        request.config.stash[_host] = host
        host.provision()
        host.wait_until_serving()
        yield host


@pytest.fixture
def client(host: Host) -> Iterator[PatientClient]:
    """A client of the daemon, as admin."""
    with host.client() as client:
        yield client


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A test that failed comes with the end of the daemon's journal."""
    report = yield
    host = item.config.stash.get(_host, None)
    if host is not None and report.failed and item.path.is_relative_to(HERE):  # type: ignore[attr-defined]
        report.sections.append(("journal of the daemon", _journal(host)))  # type: ignore[attr-defined]
    return report


def _journal(host: Host) -> str:
    code, out, err = host.root.try_run("journalctl --no-pager -n 60 _SYSTEMD_USER_UNIT=wsmgr.service")
    return out if code == 0 else err
