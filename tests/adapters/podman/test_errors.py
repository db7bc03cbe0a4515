"""What people are told about podman's answers."""

from __future__ import annotations

import json

import pytest

from wsmgr.adapters.podman.errors import image_missing, message_of, refused


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"cause":"c","message":"m","response":500}', "m"),
        (b'{"cause":"c"}', "c"),
        (b"[1]", "[1]"),
        (b"plain words\n", "plain words"),
        (b"", "no reason given"),
        (b"\xff", "\ufffd"),
    ],
)
def test_a_message_is_found_in_any_body(body: bytes, message: str) -> None:
    """JSON of any shape, text, nothing."""
    assert message_of(body) == message


@pytest.mark.parametrize(
    ("said", "mend"),
    [
        ("write /x: no space left on device", "Free disk space"),
        ("allocation failed; exceeded num_locks (2048)", "num_locks"),
        ("OCI runtime error: runc: x", "wsmgr doctor"),
    ],
)
def test_known_causes_come_with_a_mend(said: str, mend: str) -> None:
    """The sentence names what was refused, why, and what helps."""
    sentence = refused(500, json.dumps({"message": said}).encode(), "start abc").sentence
    assert sentence.startswith("Podman refused to start abc (500): ")
    assert said in sentence
    assert mend in sentence


def test_long_messages_are_cut() -> None:
    """A sentence stays one."""
    assert len(refused(500, b"x" * 10_000, "start abc").sentence) < 500


def test_a_missing_image_names_the_command() -> None:
    """The mend is a command."""
    assert "`wsmgr image build`" in image_missing("localhost/a:1").sentence
