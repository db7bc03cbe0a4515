"""What every validator promises."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.contract.validator.conftest import Rig
from wsmgr.core.bundle import BundleFile, bundle_of
from wsmgr.core.ids import Slug
from wsmgr.core.plugin import Language, PluginSource, source_of_bundle, source_of_code
from wsmgr.core.policy import SYNTAX

PLUG = Slug("plug")
JS, PY = Language.JAVASCRIPT, Language.PYTHON
BROKEN = {
    JS: ("module.exports = () => 1;\neval('1')", "eval('1')", "js/dynamic-code"),
    PY: ("def execute(a, b): return 1\neval('1')", "eval('1')", "py/dynamic-code"),
}
"""Code, what in its second line breaks a rule, and which."""


def _bundle(files: dict[str, str | bytes], language: Language = JS) -> PluginSource:
    kept = [BundleFile(path, text.encode() if isinstance(text, str) else text) for path, text in files.items()]
    return source_of_bundle(PLUG, language, bundle_of(next(iter(files)), kept))


def test_rules_are_known_by_their_ids(rig: Rig) -> None:
    """Each says why; wrong syntax is one of them."""
    assert SYNTAX in rig.validator.rules
    for name, rule in rig.validator.rules.items():
        assert rule.id == name
        assert rule.why


@pytest.mark.parametrize("language", [JS, PY])
async def test_harmless_code_is_seen_as_such(rig: Rig, language: Language) -> None:
    """Although there is something to be seen in other code."""
    code, text, rule = BROKEN[language]
    rig.expect(text, 2, 1, rule)
    harmless = code.splitlines()[0]
    assert list(await rig.validator.check(source_of_code(PLUG, language, harmless))) == []
    assert list(await rig.validator.check(source_of_code(PLUG, language, code))) != []


@pytest.mark.parametrize("language", [JS, PY])
async def test_a_single_file_is_told_with_its_place(rig: Rig, language: Language) -> None:
    """Its name is the usual one of its language; lines and columns count from 1."""
    code, text, rule = BROKEN[language]
    rig.expect(text, 2, 1, rule)
    (seen,) = await rig.validator.check(source_of_code(PLUG, language, code))
    name = {JS: "index.js", PY: "main.py"}[language]
    assert (seen.file, seen.line, seen.column, seen.rule) == (name, 2, 1, rule)
    assert seen.rule in rig.validator.rules


async def test_files_of_a_bundle_are_told_by_their_paths(rig: Rig) -> None:
    """Those of people's own first, in their order, and then what they have brought along."""
    rig.expect("eval('1')", 1, 1, "js/dynamic-code")
    bundle = _bundle({
        "index.js": "module.exports = () => 1",
        "lib/a.js": "eval('1')",
        "lib/b.js": "eval('1')",
        "node_modules/x/index.js": "eval('1')",
        "z.js": "eval('1')",
    })  # fmt: skip
    seen = await rig.validator.check(bundle)
    assert [one.file for one in seen] == ["lib/a.js", "lib/b.js", "z.js", "node_modules/x/index.js"]
    assert {(one.line, one.column, one.rule) for one in seen} == {(1, 1, "js/dynamic-code")}


STRANGE = {
    "empty": "",
    "nul": "\0",
    "deep": "(" * 20_000,
    "deeper": "[" * 20_000 + "]" * 20_000,
    "control": "\x1b[2J\r\u2028\u202e",
    "one long line": "x = 1;" * 50_000,
    "not code": "<!DOCTYPE html>",
}


@pytest.mark.parametrize("code", STRANGE.values(), ids=STRANGE.keys())
@pytest.mark.parametrize("language", [JS, PY])
async def test_no_code_makes_it_raise(rig: Rig, language: Language, code: str) -> None:
    """What it says names its rules, and what comes next is looked at as ever."""
    for one in await rig.validator.check(source_of_code(PLUG, language, code)):
        assert one.rule in rig.validator.rules
    good, text, rule = BROKEN[language]
    rig.expect(text, 2, 1, rule)
    assert [one.rule for one in await rig.validator.check(source_of_code(PLUG, language, good))] == [rule]


@pytest.mark.parametrize("language", [JS, PY])
async def test_bytes_that_are_no_text_make_it_raise_nothing(rig: Rig, language: Language) -> None:
    """In code, and in what is none."""
    name = {JS: "index.js", PY: "main.py"}[language]
    for one in await rig.validator.check(_bundle({name: b"\xff\xfe\x00", "data.bin": b"\xff" * 1000}, language)):
        assert one.rule in rig.validator.rules


@pytest.mark.parametrize("language", [JS, PY])
async def test_code_is_never_run(rig: Rig, language: Language, tmp_path: Path) -> None:
    """Neither its top level nor what a parser might evaluate."""
    mark = tmp_path / "ran"
    code = {
        JS: f"require('node:fs').writeFileSync({str(mark)!r}, ''); module.exports = () => 1",
        PY: f"open({str(mark)!r}, 'w').close()\ndef execute(a, b): return 1",
    }[language]
    await rig.validator.check(source_of_code(PLUG, language, code))
    assert not mark.exists()


async def test_each_answer_belongs_to_its_question(rig: Rig) -> None:
    """Many at once, some of them asked twice, some given up."""
    rig.expect("eval('1')", 1, 1, "js/dynamic-code")
    rig.expect("require('vm')", 1, 1, "js/vm")
    texts = {"eval('1')": ["js/dynamic-code"], "require('vm')": ["js/vm"], "1": []}
    asked = [(f"{text} // {number}", rules) for number in range(8) for text, rules in texts.items()]
    given_up = [asyncio.ensure_future(rig.validator.check(source_of_code(PLUG, JS, code))) for code, _ in asked[:6]]
    await asyncio.sleep(0)
    for one in given_up:
        one.cancel()
    await asyncio.gather(*given_up, return_exceptions=True)
    seen = await asyncio.gather(*(rig.validator.check(source_of_code(PLUG, JS, code)) for code, _ in [*asked, *asked]))
    assert [[one.rule for one in each] for each in seen] == [rules for _, rules in [*asked, *asked]]


async def test_closing_is_done_as_often_as_one_likes(rig: Rig) -> None:
    """Before anything was asked, and after."""
    await rig.validator.close()
    await rig.validator.check(source_of_code(PLUG, JS, "1"))
    await rig.validator.close()
    await rig.validator.close()
