"""`plugin config`, `plugin secret` and `secrets`."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import CommandLine
from tests.client.fake_daemon import FakeDaemon

A = "user:alice"
SET = ("plugin", "secret", "set", A, "hello", "API_KEY")
VALUE = "hunter2 hunter2"


def test_a_secret_comes_from_standard_input(cli: CommandLine, daemon: FakeDaemon) -> None:
    """Without the newline at its end, and only that one; nothing that is printed has it."""
    for text, sent in ((f"{VALUE}\n", VALUE), (VALUE, VALUE), (f"{VALUE}\n\n", f"{VALUE}\n"), ("a\nb\n", "a\nb")):
        result = cli(*SET, stdin=text)
        assert result.code == 0
        assert daemon.last.body == {"value": sent}
        assert VALUE not in result.out + result.err


def test_a_secret_is_never_an_argument(cli: CommandLine) -> None:
    """One more word is a mistake of usage, and is not repeated."""
    result = cli(*SET, VALUE)
    assert result.code == 2


def test_an_empty_secret_is_refused(cli: CommandLine, daemon: FakeDaemon) -> None:
    """Before anything is sent."""
    result = cli(*SET, stdin="\n")
    assert result.code == 2
    assert "empty" in result.err
    assert daemon.seen == []


def test_secrets_are_listed_without_values(cli: CommandLine) -> None:
    """Name, when, who."""
    result = cli("plugin", "secret", "ls", A, "hello")
    assert result.code == 0
    assert "API_KEY" in result.out
    assert "uid:0" in result.out


def test_a_configuration_goes_there_and_back(cli: CommandLine, daemon: FakeDaemon, tmp_path: Path) -> None:
    """From a file, from standard input, or from a text."""
    file = tmp_path / "config.json"
    file.write_text('{"a": [1]}')
    for arguments, stdin in (
        (("--input", file), ""),
        (("--input", "-"), '{"a": [1]}'),
        (("--json-input", '{"a": [1]}'), ""),
    ):
        assert cli("plugin", "config", "set", A, "hello", *arguments, stdin=stdin).code == 0
        assert daemon.last.body == {"config": {"a": [1]}}
    assert cli("plugin", "config", "get", A, "hello").json == {"greeting": "hello"}


def test_a_configuration_is_an_object(cli: CommandLine, daemon: FakeDaemon) -> None:
    """A list, a text or nothing is a mistake of usage."""
    for arguments in (("--json-input", "[1]"), ("--json-input", '"x"'), ()):
        result = cli("plugin", "config", "set", A, "hello", *arguments)
        assert result.code == 2
        assert "object" in result.err
    assert daemon.seen == []


def test_rotation_and_forgetting_say_what_they_did(cli: CommandLine) -> None:
    """How many; and to copy the key file."""
    assert "3 secrets" in cli("secrets", "rotate").out
    assert "3 secrets removed" in cli("secrets", "forget", "--yes").out
