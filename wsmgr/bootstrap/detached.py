"""Starts the daemon in the background, and stops it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import wsmgr
from wsmgr.bootstrap.last_resort import OVERTIME_S
from wsmgr.bootstrap.run import KEEP_SIGNAL
from wsmgr.bootstrap.state import holder_of, prepare
from wsmgr.client import Client, DaemonUnreachable
from wsmgr.settings import Settings

START_S = 60.0
LOG_LINES = 20


def detach(settings: Settings) -> int:
    """Start it unless it runs, wait until it answers, print where it listens. Returns the exit code."""
    holder = holder_of(settings.state_dir)
    if holder is not None and _answers(settings):
        sys.stdout.write(f"The daemon runs already (process {holder.pid}), on {settings.socket}.\n")
        return 0
    prepare(settings.state_dir)
    log = settings.log_file or settings.state_dir / "daemon.log"
    with (settings.state_dir / "daemon.out").open("wb") as output:
        process = subprocess.Popen(  # this very interpreter and package
            [sys.executable, "-m", "wsmgr.cli", "serve"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
            env={**os.environ, **_environment(settings), "WSMGR_LOG_FILE": str(log), **_import_path()},
        )
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        if _answers(settings):
            sys.stdout.write(f"The daemon runs (process {process.pid}), on {settings.socket}. Its log is {log}.\n")
            return 0
        time.sleep(0.05)
    state = "ended" if process.poll() is not None else f"did not answer within {START_S:.0f} s"
    sys.stderr.write(f"wsmgr: the daemon {state}. Its last words:\n")
    # What kept it from starting stands in the first of the two files; the second may be of days before.
    for line in [*_tail(log), *_tail(settings.state_dir / "daemon.out")][-LOG_LINES:]:
        sys.stderr.write(f"  {line}\n")
    return 1


def shutdown(settings: Settings, keep: bool = False) -> int:
    """Stop the daemon and wait for its end; `keep` leaves workspaces running. 0 also when none runs."""
    holder = holder_of(settings.state_dir)
    if holder is None:
        sys.stdout.write("No daemon runs.\n")
        return 0
    # What SIGTERM means is a setting; what was typed is plain.
    os.kill(holder.pid, KEEP_SIGNAL if keep else signal.SIGINT)
    until = time.monotonic() + settings.shutdown_deadline_s + OVERTIME_S + 5.0
    while time.monotonic() < until:
        if not holder.alive():
            sys.stdout.write("The daemon has stopped.\n")
            return 0
        time.sleep(0.05)
    sys.stderr.write(f"wsmgr: process {holder.pid} has not stopped yet; its log says why.\n")
    return 1


def _answers(settings: Settings) -> bool:
    try:
        with Client(settings.socket) as client:
            client.health()
    except DaemonUnreachable:
        return False
    return True


def _environment(settings: Settings) -> dict[str, str]:
    """The settings that were given explicitly, for the child."""
    given = settings.model_dump(mode="json", include=settings.model_fields_set, exclude_none=True)
    return {
        f"WSMGR_{name.upper()}": ",".join(value) if isinstance(value, list) else _text(value)
        for name, value in given.items()
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _import_path() -> dict[str, str]:
    """The child starts in `/` and must import this very wsmgr, installed or in a checkout."""
    package = str(Path(wsmgr.__file__).resolve().parent.parent)
    given = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": package if not given else package + os.pathsep + given}


def _tail(path: Path) -> Sequence[str]:
    try:
        return path.read_text(errors="replace").splitlines()[-LOG_LINES:]
    except OSError:
        return ()
