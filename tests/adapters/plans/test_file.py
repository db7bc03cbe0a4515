"""Files that are there, are not there, or are no files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wsmgr.adapters.plans import PlansFile
from wsmgr.adapters.plans.document import MAX_BYTES
from wsmgr.core.errors import InvalidPlans
from wsmgr.core.plans import BUILT_IN


async def test_the_file_is_read_each_time(tmp_path: Path) -> None:
    """As it stands there then."""
    path = tmp_path / "plans.yaml"
    path.write_text("plans: {FREE: {memoryMb: 160}}")
    source = PlansFile(path, required=True)
    assert (await source.read()).named("FREE").limits.memory_mb == 160
    path.write_text("plans: {FREE: {memoryMb: 170}}")
    book = await source.read()
    assert (book.named("FREE").limits.memory_mb, book.source) == (170, str(path))


async def test_a_file_that_need_not_be_there(tmp_path: Path) -> None:
    """Without it the built-in plans hold; one that must be there is missed."""
    path = tmp_path / "plans.yaml"
    book = await PlansFile(path, required=False).read()
    assert (book, book.source) == (BUILT_IN, "built in")
    with pytest.raises(InvalidPlans, match="there is no such file"):
        await PlansFile(path, required=True).read()


async def test_what_is_no_file_of_plans_is_refused_at_once(tmp_path: Path) -> None:
    """A pipe that nobody writes, a folder, a file that is far too large, bytes that are no text."""
    pipe, folder, large, binary = (tmp_path / name for name in ("pipe", "folder", "large", "binary"))
    os.mkfifo(pipe)
    folder.mkdir()
    large.write_text("#" * (MAX_BYTES + 1))
    binary.write_bytes(b"plans: \xff")
    for path, said in [
        (pipe, "not a regular file"),
        (folder, "Is a directory"),
        (large, f"more than {MAX_BYTES} bytes"),
        (binary, "not UTF-8"),
    ]:
        with pytest.raises(InvalidPlans, match=said):
            await PlansFile(path, required=False).read()
    large.write_text("plans: {}\n#" + "#" * (MAX_BYTES - 11))
    assert (await PlansFile(large, required=False).read()) == BUILT_IN
