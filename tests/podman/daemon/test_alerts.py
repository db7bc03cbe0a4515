"""A workspace that fails too often, seen from outside: the webhook, the stream of events, the list of alerts."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest

from tests.podman.daemon.rig import TREE, RealDaemon, output, real_daemon, run, wait_for
from wsmgr.client import Client
from wsmgr.wire.event import Event

SECRET = "a-secret-of-sixteen-characters"  # noqa: S105  # of this test
SUICIDE = "export default () => process.kill(process.pid, 'SIGKILL')"
ECHO = "export default (input) => input"


class Receiver(ThreadingHTTPServer):
    """Takes notices; the first so many are refused."""

    def __init__(self, *, refuses: int = 0) -> None:
        self.notices: list[dict[str, Any]] = []
        self.forged: list[str] = []
        self.refused = 0
        self.left = refuses
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = cast("Receiver", self.server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signed = f"{self.headers['X-Wsmgr-Timestamp']}.".encode() + body
        expected = "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, self.headers["X-Wsmgr-Signature"]):
            receiver.forged.append(self.path)
        if receiver.left:
            receiver.left, receiver.refused = receiver.left - 1, receiver.refused + 1
            self.send_response(503)
        else:
            receiver.notices.append(json.loads(body))
            self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Say nothing."""


@contextmanager
def receiver(*, refuses: int = 0) -> Iterator[Receiver]:
    """A receiver on the loopback."""
    with Receiver(refuses=refuses) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def listener(daemon: RealDaemon) -> Iterator[list[Event]]:
    """What `wsmgr events --follow` hears, from the first event on and through every restart."""
    argv = [sys.executable, "-m", "wsmgr.cli", "events", "--follow", "--json", "--limit", "1000"]
    heard: list[Event] = []
    with subprocess.Popen(argv, cwd=TREE, env=daemon.environment, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        lines = program.stdout
        thread = threading.Thread(target=lambda: heard.extend(map(Event.model_validate_json, lines)))
        thread.start()
        try:
            wait_for(lambda: heard, 20)
            yield heard
        finally:
            program.terminate()
            thread.join()


def break_down(client: Client, user: str) -> None:
    """Let it kill its own runtime until it is given up."""
    for _ in range(4):
        run(client, user, SUICIDE)
    wait_for(lambda: client.workspace(f"user:{user}").status == "ERROR", 40)


# httpcore leaves the socket of a connect that failed (the daemon was killed) to the garbage collector, which warns.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_breakdown_is_told_everywhere_and_once() -> None:
    """Raised and, after `recover`, resolved: signed, in order, also when the receiver refuses at first; and the stream
    of events has no gap and nothing twice, through a kill -9 of the daemon."""
    with (
        receiver(refuses=1) as hook,
        real_daemon(webhook_url=f"http://127.0.0.1:{hook.server_port}/x", webhook_secret=SECRET) as daemon,
        listener(daemon) as heard,
    ):
        with daemon.client() as client:
            break_down(client, "wild")
            (alert,) = wait_for(lambda: client.alerts().items, 10)
            assert "signal 9" in alert.sentence
            wait_for(lambda: "alert.raised" in {event.action for event in heard}, 10)
            daemon.kill()
        daemon.start()
        with daemon.client() as client:
            wait_for(lambda: hook.notices, 30)
            client.recover("user:wild", wait=20)
            assert output(client, "wild", ECHO, 5) == 5
            wait_for(lambda: len(hook.notices) == 2, 30)
            kept = sorted(client.audit(limit=500).items, key=lambda event: event.id)
            wait_for(lambda: len(heard) >= len(kept), 20)
    assert (hook.refused, hook.forged) == (1, [])
    assert [notice["type"] for notice in hook.notices] == ["alert.raised", "alert.resolved"]
    assert {notice["alert"]["workspace"] for notice in hook.notices} == {"user:wild"}
    assert hook.notices[0]["alert"]["id"] == hook.notices[1]["alert"]["id"] == alert.id
    assert heard[: len(kept)] == kept
    actions = [event.action for event in kept]
    assert (actions.count("alert.raised"), actions.count("alert.resolved")) == (1, 1)
