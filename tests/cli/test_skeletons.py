"""What `plugin new` writes for editors: it says what a plugin really gets, and type checkers take it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine

ROOT = Path(__file__).parents[2]
SKELETONS = ROOT / "wsmgr" / "skeletons"

GOOD = """
from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsmgr_plugin import Context, Json, Plugin


async def later(input: Json, context: Context) -> Json:
    context.emit({"left": context.deadline})
    key: str = context.secrets.API_KEY + context.secrets["API_KEY"]
    return [key, context.owner, context.organizationId, context["plugin"]]


def steps(input: Json, context: Context) -> Generator[Json, None, Json]:
    yield len(context.config)
    return context.userId


async def told(input: Json, context: Context) -> AsyncIterator[Json]:
    yield context.version


def plain(input: Json, context: Context) -> Json:
    return input


all_of_them: list[Plugin] = [later, steps, told, plain]
"""
BAD = """
from wsmgr_plugin import Context, Plugin


def a_set(input: object, context: Context) -> set[int]:
    return {1}


def text(input: object, context: Context) -> int:
    return context.owner


plugin: Plugin = a_set
"""


def _documented() -> set[str]:
    """The members of a context that README lists, and the one that is a function."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| member | what it is in `context` |\n|---|---|\n")[2].partition("\n\n")[0]
    return {*re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE), "emit"}


@pytest.mark.parametrize(
    ("file", "member"),
    [
        ("javascript/wsmgr.d.ts", r"^  (?:readonly )?(\w+)(?::|\()"),
        ("python/wsmgr_plugin.pyi.in", r"^    (?:def )?([a-z]\w+)(?::|\()"),
    ],
)
def test_declarations_have_all_that_a_plugin_is_given(file: str, member: str) -> None:
    """And nothing else: the README's table is held to the runtimes by their own tests."""
    text = (SKELETONS / file).read_text(encoding="utf-8")
    body = re.split(r"^(?:export interface|class) Context.*$", text, flags=re.MULTILINE)[1]
    body = re.split(r"^(?:}|class )", body, maxsplit=1, flags=re.MULTILINE)[0]
    assert set(re.findall(member, body, re.MULTILINE)) == _documented()


def _checked(folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file", "/dev/null", *files]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_a_type_checker_takes_the_python_skeleton(alone: CommandLine, tmp_path: Path) -> None:
    """With every kind of `execute`; the control has two mistakes, and both are found."""
    folder = tmp_path / "fresh"
    assert alone("plugin", "new", folder, "--language", "python").code == 0
    (folder / "good.py").write_text(GOOD)
    done = _checked(folder, "main.py", "good.py")
    assert done.returncode == 0, done.stdout
    (folder / "bad.py").write_text(BAD)
    done = _checked(folder, "bad.py")
    assert re.findall(r"^bad\.py:(\d+): error", done.stdout, re.MULTILINE) == ["10", "13"]
