"""What people see before they know anything: help, version, imports."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from tests.cli.conftest import CommandLine
from wsmgr import __version__
from wsmgr.cli.app import make_app, narrow

ROOT = Path(__file__).parents[2]


def _walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from _walk(child, (*path, name))


COMMANDS = dict(_walk(typer.main.get_command(make_app()), ()))


def test_every_command_of_the_contract_is_there() -> None:
    """The commands that DESIGN, the issue and README name."""
    wanted = [
        "serve",
        "shutdown",
        "execute",
        "cancel",
        "demo",
        "ls",
        "show",
        "start",
        "stop",
        "restart",
        "pause",
        "resume",
    ]
    wanted += ["recover", "rm"]
    wanted += ["logs", "executions", "doctor", "events", "alerts ack", "tui", "top"]
    wanted += [f"plugin {verb}" for verb in ("put", "ls", "rm", "show", "rollback", "new", "check", "run", "diff")]
    wanted += ["plugin config get", "plugin config set", "secrets rotate", "secrets forget"]
    wanted += [f"plugin secret {verb}" for verb in ("set", "ls", "rm")]
    wanted += [f"owner {verb}" for verb in ("ls", "show", "set", "unset")]
    wanted += [f"plan {verb}" for verb in ("ls", "show", "default", "check", "reload")]
    wanted += ["volume ls", "volume rm"]
    wanted += ["token create", "token ls", "token rm", "image build"]
    assert {" ".join(path) for path in COMMANDS if not hasattr(COMMANDS[path], "commands")} == set(wanted)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_of_every_command_says_what_it_does_and_how(path: tuple[str, ...], cli: CommandLine) -> None:
    """A sentence and at least one example, whose command and options exist."""
    result = cli(*path, "--help")
    assert result.code == 0
    about, _, lines = result.out.partition("Examples:")
    assert "." in about
    examples = [line.strip() for line in lines.splitlines() if line.strip()]
    assert examples
    for example in examples:
        _check(example)


def _check(example: str) -> None:
    """An example names a command that exists, with options that it has."""
    alone, _, _ = example[example.index("wsmgr ") :].replace(" > ", " | ").partition(" | ")
    words = shlex.split(alone)[1:]
    path: tuple[str, ...] = ()
    while words and (*path, words[0]) in COMMANDS:
        path = (*path, words.pop(0))
    assert path, example
    known = {option for parameter in COMMANDS[path].params for option in parameter.opts}
    given = {word for word in words if word.startswith("-") and word != "-"}
    assert given <= known, example


def test_every_command_that_prints_data_has_json() -> None:
    """Only the daemon itself and the terminal UI print none."""
    leaves = {path: command for path, command in COMMANDS.items() if not hasattr(command, "commands")}
    without = {" ".join(path) for path, c in leaves.items() if not any("--json" in p.opts for p in c.params)}
    assert without == {"serve", "shutdown", "tui"}


@pytest.mark.parametrize("arguments", [(), ("plugin",), ("token",), ("image",), ("owner",), ("plan",)], ids=" ".join)
def test_a_group_alone_shows_its_help(arguments: tuple[str, ...], cli: CommandLine) -> None:
    """As a mistake of usage."""
    result = cli(*arguments)
    assert result.code == 2
    assert "Commands:" in result.out + result.err


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (("ls",), {"ls"}),
        (("plugin", "put", "x"), {"plugin"}),
        (("--socket", "tui", "ls"), {"ls"}),
        (("--url=http://127.0.0.1:1", "--debug", "owner", "set"), {"owner"}),
    ],
)
def test_only_the_command_that_is_named_is_built(arguments: tuple[str, ...], left: set[str]) -> None:
    """What else there is costs a person nothing."""
    app = make_app()
    narrow(app, arguments)
    assert set(typer.main.get_command(app).commands) == left  # type: ignore[attr-defined]  # it is a group


@pytest.mark.parametrize("arguments", [(), ("--help",), ("--version",), ("--hepl", "ls"), ("lss",), ("--socket",)])
def test_all_are_built_where_it_is_not_plain_which_one_is_meant(arguments: tuple[str, ...]) -> None:
    """So that the help lists all of them, and a slip finds what is similar."""
    app = make_app()
    narrow(app, arguments)
    assert len(typer.main.get_command(app).commands) > 20  # type: ignore[attr-defined]  # it is a group


def test_the_version_is_the_packages(cli: CommandLine) -> None:
    """For people and for bug reports."""
    assert cli("--version").out == f"wsmgr {__version__}\n"


def test_the_module_can_be_run() -> None:
    """`python -m wsmgr.cli` is what the daemon starts itself with."""
    command = [sys.executable, "-m", "wsmgr.cli", "--version"]
    seen = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT)
    assert seen.stdout == f"wsmgr {__version__}\n"


HEAVY = {"podman", "sqlmodel", "sqlalchemy", "fastapi", "textual", "httpx", "rich", "ansible", "structlog"}
LOADED = """
import sys
from wsmgr.cli.run import run
run(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
"""


def _loaded(*arguments: str) -> set[str]:
    command = [sys.executable, "-c", LOADED, *arguments]
    seen = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, cwd=ROOT)
    return set(seen.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (("--help",), {*HEAVY, "pydantic"}),
        (("--version",), {*HEAVY, "pydantic"}),
        # Typer reads the parameters of a command with pydantic's help; every command needs pydantic later anyway.
        (("execute", "--help"), HEAVY),
        (("plugin", "put", "--help"), HEAVY),
        (("tui", "--help"), HEAVY),
    ],
)
def test_help_imports_nothing_heavy(arguments: tuple[str, ...], heavy: set[str]) -> None:
    """It must appear at once."""
    loaded = _loaded(*arguments)
    assert "typer" in loaded
    assert not loaded & heavy
    assert not {name for name in loaded if name.startswith(("wsmgr.client", "wsmgr.wire", "wsmgr.bootstrap"))}


def test_a_call_imports_the_client_and_no_daemon() -> None:
    """A command that only asks the daemon does not load one."""
    loaded = _loaded("--socket", "/nowhere.sock", "ls")
    assert {"httpx", "wsmgr.client"} <= loaded
    assert not loaded & {"podman", "sqlmodel", "sqlalchemy", "fastapi", "textual", "ansible", "structlog"}
