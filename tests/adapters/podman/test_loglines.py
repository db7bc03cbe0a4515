"""Reading the end of a k8s-file log."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsmgr.adapters.podman.loglines import TAIL_BYTES, last_lines, parse

TIME = "2026-11-23T15:20:47.414027963+00:00"


@pytest.mark.parametrize(
    ("log", "lines"),
    [
        ("", []),
        (f"{TIME} stdout F one\n{TIME} stderr F two words\n", ["one", "two words"]),
        (f"{TIME} stdout P ab\n{TIME} stdout F cd\n", ["abcd"]),
        (f"{TIME} stdout F \n", [""]),
        (f"{TIME} stdo\n{TIME} stdout F whole\n", ["whole"]),
        (f"tail of a line\n{TIME} stdout F whole\n{TIME} std", ["whole"]),
        (f"{TIME} stdout F a\x0bb\u2028c\n", ["a\x0bb\u2028c"]),
        (f"{TIME} stdout P open end\n", ["open end"]),
    ],
)
def test_parse(log: str, lines: list[str]) -> None:
    """Parts are joined, cut records passed over, and only a line feed ends a line."""
    assert parse(log.encode()) == lines


def test_bytes_that_are_no_text_do_not_raise() -> None:
    """A runtime may write anything."""
    assert parse(TIME.encode() + b" stdout F \xff\xfe\n") == ["\ufffd\ufffd"]


def test_only_the_end_of_a_large_file_is_read(tmp_path: Path) -> None:
    """The last lines are right although the file is larger than what is read of it."""
    log = tmp_path / "ctr.log"
    log.write_text("".join(f"{TIME} stdout F {number} {'x' * 100}\n" for number in range(20_000)))
    assert log.stat().st_size > TAIL_BYTES
    assert [line.split()[0] for line in last_lines(log, 2)] == ["19998", "19999"]
    assert last_lines(log, 0) == []
    assert last_lines(tmp_path / "none", 5) == []
