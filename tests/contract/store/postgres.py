"""A real PostgreSQL of the tests' own: a temporary directory, a unix socket, no port."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psycopg
import pytest

_READY = "database system is ready to accept connections"


def programs() -> Path:
    """Where `initdb` and `postgres` are; fails the test when they are nowhere."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    pytest.fail(
        "PostgreSQL's server programs are missing: install the package `postgresql` (apt-get install postgresql)."
    )


class PostgresServer:
    """One server with a data directory of its own; `with` starts it, and removes everything at the end."""

    def __init__(self) -> None:
        self._programs = programs()
        # Not pytest's directory, which the unprivileged user may not enter; short, as a socket's path is.
        self._folder = Path(tempfile.mkdtemp(prefix="wsmgr-pg-"))
        self._process: subprocess.Popen[str] | None = None
        self._databases = 0

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            user = _unprivileged()
            os.chown(self._folder, user.pw_uid, user.pw_gid)
        command = ["initdb", "-D", f"{self._folder}/data", "-U", "wsmgr", "--auth=trust", "--encoding=UTF8"]
        done = subprocess.run(
            self._as_user([*command, "--locale=C.UTF-8", "--no-sync"]),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Return when it takes connections. `fsync` is off: only power losses need it, and none is played here."""
        settings = ["listen_addresses=", f"unix_socket_directories={self._folder}", "fsync=off", "max_connections=50"]
        command = ["postgres", "-D", f"{self._folder}/data", *(word for one in settings for word in ("-c", one))]
        self._process = subprocess.Popen(
            self._as_user(command), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd="/"
        )
        assert self._process.stderr is not None
        ready = threading.Event()
        lines: list[str] = []
        threading.Thread(target=_follow, args=(self._process.stderr, ready, lines), daemon=True).start()
        assert ready.wait(30), "".join(lines)

    def stop(self) -> None:
        """End it at once, as a crash would; connections break."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def new_database(self) -> str:
        """The URL of an empty database."""
        self._databases += 1
        name = f"records{self._databases}"
        with contextlib.closing(
            psycopg.connect(f"host={self._folder} user=wsmgr dbname=postgres", autocommit=True)
        ) as one:
            one.execute(f"CREATE DATABASE {name}")
        return f"postgresql://wsmgr@/{name}?host={self._folder}"

    def _as_user(self, command: list[str]) -> list[str]:
        full = [str(self._programs / command[0]), *command[1:]]
        if os.geteuid() != 0:
            return full
        user = _unprivileged()
        return [
            "setpriv",
            f"--reuid={user.pw_uid}",
            f"--regid={user.pw_gid}",
            "--clear-groups",
            "--pdeathsig=QUIT",
            *full,
        ]


def running() -> Iterator[PostgresServer]:
    """The body of a fixture."""
    with PostgresServer() as server:
        yield server


def _unprivileged() -> pwd.struct_passwd:
    """PostgreSQL refuses to run as root."""
    names = {user.pw_name for user in pwd.getpwall()}
    return pwd.getpwnam("postgres" if "postgres" in names else "nobody")


def _follow(stream: IO[str], ready: threading.Event, lines: list[str]) -> None:
    """Read the log to its end, so that the server never waits for its reader."""
    with stream:
        for line in stream:
            lines.append(line)
            if _READY in line:
                ready.set()
