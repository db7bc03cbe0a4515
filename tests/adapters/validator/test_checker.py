"""The validator as a whole: bundles, bounds, and files that kill the process which parses them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from wsmgr.adapters.validator.checker import Bounds, CodeValidator
from wsmgr.core.bundle import BundleFile, bundle_of
from wsmgr.core.ids import Slug
from wsmgr.core.plugin import Language, PluginSource, source_of_bundle, source_of_code

PLUG = Slug("plug")


@pytest.fixture
async def validator() -> AsyncIterator[CodeValidator]:
    """One with bounds that only what is meant to hits, however slow the machine is."""
    made = CodeValidator(Bounds(file_s=60.0, vendored_s=60.0, file_bytes=500_000))
    yield made
    await made.close()


def _code(code: str, language: Language = Language.JAVASCRIPT) -> PluginSource:
    return source_of_code(PLUG, language, code)


def _bundle(files: dict[str, bytes], language: Language = Language.JAVASCRIPT) -> PluginSource:
    entry = next(iter(files))
    return source_of_bundle(PLUG, language, bundle_of(entry, [BundleFile(*one) for one in files.items()]))


async def _seen(validator: CodeValidator, plugin: PluginSource) -> set[tuple[str, str]]:
    return {(one.file, one.rule) for one in await validator.check(plugin)}


async def test_a_single_file_has_the_usual_name(validator: CodeValidator) -> None:
    """index.js or main.py."""
    assert await _seen(validator, _code("eval('1')")) == {("index.js", "js/dynamic-code")}
    assert await _seen(validator, _code("eval('1')", Language.PYTHON)) == {("main.py", "py/dynamic-code")}


async def test_every_file_of_a_bundle_is_looked_at(validator: CodeValidator) -> None:
    """Code by its content, native code by its name, and nothing else."""
    files = {
        "index.js": b"require('vm')",
        "lib/a.cjs": b"let = ;",
        "lib/b.mjs": b"eval('1')",
        "readme.md": b"eval(",
        "data.json": b"{",
        "main.py": b"import ctypes",
        "build/addon.node": b"\x7fELF",
    }
    assert await _seen(validator, _bundle(files)) == {
        ("index.js", "js/vm"),
        ("lib/a.cjs", "syntax"),
        ("lib/b.mjs", "js/dynamic-code"),
        ("build/addon.node", "js/native-addon"),
    }
    files = {"main.py": b"import ctypes", "a/_x.cpython-311-x86_64-linux-gnu.so": b"\x7fELF"}
    assert await _seen(validator, _bundle(files, Language.PYTHON)) == {
        ("main.py", "py/native-code"),
        ("a/_x.cpython-311-x86_64-linux-gnu.so", "py/native-code"),
    }


async def test_what_is_no_text_is_no_code(validator: CodeValidator) -> None:
    """With the place of the first byte that is none."""
    (seen,) = await validator.check(_bundle({"index.js": b"let a = 1;\nlet b = '\xff'"}))
    assert (seen.rule, seen.line, seen.column) == ("syntax", 2, 10)


@pytest.mark.parametrize("code", ["-" * 200_000 + "1", "x" + ".a" * 200_000, "x = " + "+".join(["1"] * 100_000)])
async def test_code_that_is_too_deep_is_seen_as_such(validator: CodeValidator, code: str) -> None:
    """Whether the parser says so or dies of it; the next one is looked at as ever."""
    assert await _seen(validator, _code(code, Language.PYTHON)) == {("main.py", "check/failed")}
    assert await _seen(validator, _code("import pickle", Language.PYTHON)) == {("main.py", "py/deserialization")}


async def test_code_that_is_too_large_or_too_slow_is_seen_as_such() -> None:
    """Its process is ended, and the next file gets a new one."""
    validator = CodeValidator(Bounds(file_s=0.0, vendored_s=60.0, file_bytes=1000))
    try:
        assert await _seen(validator, _code("x;" * 1000)) == {("index.js", "check/skipped")}
        assert await _seen(validator, _code("let a")) == {("index.js", "check/skipped")}
    finally:
        await validator.close()


async def test_packages_share_one_budget_of_time() -> None:
    """What people wrote themselves is always looked at."""
    validator = CodeValidator(Bounds(file_s=60.0, vendored_s=-1.0))
    try:
        files = {"index.js": b"eval('1')", "node_modules/a/index.js": b"eval('1')"}
        assert await _seen(validator, _bundle(files)) == {
            ("index.js", "js/dynamic-code"),
            ("node_modules/a/index.js", "check/skipped"),
        }
    finally:
        await validator.close()


async def test_a_caller_that_gives_up_leaves_no_answer_behind(validator: CodeValidator) -> None:
    """Answers never belong to the question before."""
    await validator.check(_code("let a"))
    giving_up = asyncio.create_task(validator.check(_code("[" * 100_000 + "]" * 100_000)))
    await asyncio.sleep(0)
    giving_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await giving_up
    assert await _seen(validator, _code("require('vm')")) == {("index.js", "js/vm")}


async def test_the_same_file_is_parsed_once(validator: CodeValidator) -> None:
    """So that putting a bundle again costs what has changed; the process is not asked at all."""
    first = await validator.check(_code("require('vm')"))
    await validator._end()
    assert await validator.check(_code("require('vm')")) == first
    assert validator._child is None


async def test_code_is_never_run(validator: CodeValidator, tmp_path: object) -> None:
    """Not at its top level, not in its decorators and defaults."""
    mark = f"{tmp_path}/ran"
    python = f"open({mark!r}, 'w')\n@open({mark!r}, 'w')\ndef f(x=open({mark!r}, 'w')): pass"
    await validator.check(_code(python, Language.PYTHON))
    await validator.check(_code(f"require('fs').writeFileSync({mark!r}, '')"))
    assert not list(tmp_path.iterdir())  # type: ignore[attr-defined]  # a Path
