"""On a real terminal: colour, NO_COLOR, questions."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.client.canned import VERSION
from tests.client.fake_daemon import FakeDaemon

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def _on_terminal(arguments: list[str], environment: dict[str, str], answer: bytes = b"") -> tuple[int, str]:
    """Run a command on a terminal of its own; its exit code and all that the terminal showed."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "wsmgr.cli", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm", "COLUMNS": "140", **environment},
        )
        os.close(theirs)
        os.write(ours, answer)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
        return process.wait(timeout=60), shown.decode()
    finally:
        os.close(ours)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:
        # The other end has been closed: the command has ended.
        return b""


def _words(shown: str) -> list[str]:
    """Without the spaces, and without the times, which go on."""
    return [word for word in shown.split() if not word.isdigit()]


def _environment(daemon: FakeDaemon, **more: str) -> dict[str, str]:
    return {"WSMGR_SOCKET": str(daemon.path), **more}


@pytest.mark.parametrize("command", [["ls"], ["executions", "user:alice"]])
def test_colour_is_used_on_a_terminal_and_not_with_no_color(command: list[str], daemon: FakeDaemon) -> None:
    """The words are the same in both."""
    code, coloured = _on_terminal(command, _environment(daemon))
    assert code == 0
    assert "\x1b[" in coloured
    code, plain = _on_terminal(command, _environment(daemon, NO_COLOR="1"))
    assert code == 0
    assert "\x1b" not in plain
    assert _words(plain) == _words(re.sub(r"\x1b\[[0-9;]*m", "", coloured))


@pytest.fixture
def folder(tmp_path: Path, daemon: FakeDaemon) -> Path:
    """A plugin of more than one file and more than one piece, which the daemon takes without a word."""
    taken = {"slug": "hello", "version": VERSION, "reloaded": False, "reloadMs": None, "warnings": []}
    daemon.tell("PUT", "/api/workspaces/user:alice/plugins/hello", json.dumps(taken).encode())
    made = tmp_path / "hello"
    made.mkdir()
    (made / "index.js").write_text("module.exports = () => 1")
    (made / "noise.bin").write_bytes(os.urandom(300_000))
    return made


def test_a_put_shows_how_far_it_is(folder: Path, daemon: FakeDaemon) -> None:
    """A bar for each step, which is wiped away before the result."""
    code, shown = _on_terminal(["plugin", "put", "user:alice", str(folder)], _environment(daemon))
    assert code == 0, shown
    for step in ("packing", "1/2 files", "sending", "checking and loading"):
        assert step in shown
    last = shown.rpartition("\x1b")[2]
    assert "hello  " in last
    assert "loading" not in last


@pytest.mark.parametrize("quiet", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_bar_is_drawn_where_none_is_wanted(quiet: dict[str, str], folder: Path, daemon: FakeDaemon) -> None:
    """The result alone: a bar is made of escape sequences."""
    code, shown = _on_terminal(["plugin", "put", "user:alice", str(folder)], _environment(daemon, **quiet))
    assert code == 0
    assert "\x1b" not in shown
    assert shown.count("\n") == 1


def test_json_on_a_terminal_is_json(folder: Path, daemon: FakeDaemon) -> None:
    """Also where both outputs are one."""
    code, shown = _on_terminal(["plugin", "put", "user:alice", str(folder), "--json"], _environment(daemon))
    assert code == 0
    assert json.loads(shown)["slug"] == "hello"


def test_a_watch_tells_a_pipe_at_once(folder: Path, daemon: FakeDaemon) -> None:
    """While it goes on, and not at its end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wsmgr.cli", "plugin", "put", "user:alice", str(folder), "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, **_environment(daemon)},
    )
    assert process.stdout is not None
    try:
        assert b"hello abababababab" in process.stdout.readline()
        assert process.poll() is None
    finally:
        process.kill()
        process.wait(timeout=60)
        process.stdout.close()


def test_a_refusal_ends_the_bar(folder: Path, daemon: FakeDaemon) -> None:
    """What was wrong stands by itself."""
    (folder / "link").symlink_to("index.js")
    code, shown = _on_terminal(["plugin", "put", "user:alice", str(folder)], _environment(daemon))
    assert code == 1
    assert "is a link" in shown.rpartition("\x1b")[2]
    assert not daemon.seen


def test_a_narrow_terminal_folds_and_loses_nothing(daemon: FakeDaemon) -> None:
    """What does not fit goes on in the next line."""
    _, shown = _on_terminal(["ls"], _environment(daemon, COLUMNS="60", NO_COLOR="1"))
    assert "…" not in shown
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 60


@pytest.mark.parametrize(("answer", "code", "sent"), [(b"n\n", 1, []), (b"\n", 1, []), (b"y\n", 0, ["DELETE"])])
def test_rm_asks_on_a_terminal(answer: bytes, code: int, sent: list[str], daemon: FakeDaemon) -> None:
    """Only a yes removes."""
    ended, shown = _on_terminal(["rm", "user:alice"], _environment(daemon), answer)
    assert "Remove user:alice?" in shown
    assert ended == code
    assert [seen.method for seen in daemon.seen] == sent


def test_a_terminal_of_another_encoding_shows_escapes(daemon: FakeDaemon) -> None:
    """A glyph that cannot be shown does not end the command."""
    code, shown = _on_terminal(["ls"], _environment(daemon, PYTHONIOENCODING="ascii", NO_COLOR="1"))
    assert code == 0
    assert "\\u25cf RUNNING" in shown


def test_a_reader_that_leaves_early_is_no_error(daemon: FakeDaemon) -> None:
    """`wsmgr ls | head -1`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wsmgr.cli", "ls"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **_environment(daemon)},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.wait(timeout=60)
    process.stderr.close()
    assert b"Traceback" not in errors
    assert b"should not have happened" not in errors
