"""JavaScript: where it is no code, what the policy is about, and what only looks like it."""

from __future__ import annotations

import pytest

from wsmgr.adapters.validator.javascript import check
from wsmgr.adapters.validator.rules import rules


def _rules(code: str) -> set[str]:
    return {seen.rule for seen in check(code)}


@pytest.mark.parametrize(
    ("code", "line", "column"),
    [
        ("let a = 1;\nlet b = ;\n", 2, 7),
        ("module.exports = (a) => {", 1, 25),
        ("/* ü */ const x = 'é' = 1", 1, 19),
        ("#!/usr/bin/env node\nfoo(]", 2, 5),
    ],
)
def test_a_syntax_error_has_its_place(code: str, line: int, column: int) -> None:
    """Line and column count from 1, and columns are characters."""
    (seen,) = check(code)
    assert (seen.rule, seen.line) == ("syntax", line)
    assert abs(seen.column - column) <= 3


@pytest.mark.parametrize(
    "code",
    [
        "export default async (a, { b = 1, ...c }) => a?.b ?? c;",
        "import data from './x.json' with { type: 'json' }; export const a = 1n ** 2n;",
        "class A { #p = 1; static { this.x = 1 } get p() { return this.#p } static async *g() { yield* [] } }",
        "label: for (const x of []) { if (x) continue label } x ||= 1; y ??= 2;",
        "const t = `a${`b${1}`}`; const r = /[/]\\//dgimsuy; await 1; export { t as 'a b' };",
        "#!/usr/bin/env node\nmodule.exports = function () { 'use strict'; return new.target };",
        "var yield_ = async x => await x, get = 1, set = 2, of = 3, let_ = 4;",
        "try { throw 1 } catch { } finally { } do ; while (0)",
        "",
    ],
)
def test_what_is_code_is_no_error(code: str) -> None:
    """Modern and old; what the grammar cannot read would be refused."""
    assert "syntax" not in _rules(code)


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("require('child_process')", "js/process-spawn"),
        ("import { spawn as s } from 'node:child_process'", "js/process-spawn"),
        ("export * from 'child_process'", "js/process-spawn"),
        ("await import('child_process')", "js/process-spawn"),
        ("await import(`child_process`)", "js/process-spawn"),
        ("require('child_' + 'pro' + 'cess')", "js/process-spawn"),
        ("require('child\\x5fprocess'); require('\\u0063luster')", "js/process-spawn"),
        ("process.getBuiltinModule('child_process')", "js/process-spawn"),
        ("module.require('child_process')", "js/process-spawn"),
        ("require('worker_threads')", "js/threads"),
        ("eval('1')", "js/dynamic-code"),
        ("(0, eval)('1')", "js/dynamic-code"),
        ("const e = eval; e('1')", "js/dynamic-code"),
        ("ev\\u0061l('1')", "js/dynamic-code"),
        ("new Function('return 1')()", "js/dynamic-code"),
        ("Function('return 1')()", "js/dynamic-code"),
        ("globalThis.Function('return 1')()", "js/dynamic-code"),
        ("globalThis['Function']('return 1')()", "js/dynamic-code"),
        ("[].constructor.constructor('return process')()", "js/dynamic-code"),
        ("''['constructor']['constructor']('x')()", "js/dynamic-code"),
        ("require('node:vm').runInThisContext('1')", "js/vm"),
        ("import('inspector/promises')", "js/inspector"),
        ("process.dlopen({}, 'x')", "js/native-addon"),
        ("process.binding('spawn_sync')", "js/internals"),
        ("process['bind' + 'ing']('spawn_sync')", "js/internals"),
        ("const { binding } = process", "js/internals"),
        ("const { binding: b } = process", "js/internals"),
        ("process.mainModule.require('x')", "js/internals"),
        ("module.constructor._load('x')", "js/internals"),
        ("new (require('wasi').WASI)()", "js/wasi"),
        ("constructor.constructor('return process')()", "js/dynamic-code"),
        ("(() => {}).constructor('return process')()", "js/dynamic-code"),
        ("[].filter['constr' + 'uctor']('return 1')()", "js/dynamic-code"),
        ("Object.getPrototypeOf(async () => {}).constructor('x')()", "js/dynamic-code"),
        ("Reflect.construct(Function, ['return process'])()", "js/dynamic-code"),
        ("Reflect.apply(globalThis.Function, null, ['return process'])()", "js/dynamic-code"),
        ("const F = Function; F('return process')()", "js/dynamic-code"),
        ("globalThis.eval('1')", "js/dynamic-code"),
        ("globalThis['ev' + 'al']('1')", "js/dynamic-code"),
        ("globalThis['pro' + 'cess'].binding('fs')", "js/internals"),
        ("global.process['binding']('fs')", "js/internals"),
        ("process?.binding?.('fs')", "js/internals"),
        ("const p = process; p.binding('fs')", "js/internals"),
        ("Reflect.get(process, 'binding')('fs')", "js/internals"),
        ("import p from 'node:process'; p.binding('fs')", "js/internals"),
        ("import * as p from 'process'; p.binding('fs')", "js/internals"),
        ("import { binding } from 'process'; binding('fs')", "js/internals"),
        ("import { binding as b } from 'process'; b('fs')", "js/internals"),
        ("const M = require('module'); M._load('vm')", "js/vm"),
        ("require('node:module')._load('vm')", "js/vm"),
        ("require('module').createRequire('/')('vm')", "js/vm"),
        ("import { createRequire as c } from 'module'; c(import.meta.url)('vm')", "js/vm"),
        ("import { createRequire } from 'module'; const load = createRequire('/'); load('vm')", "js/vm"),
        ("require.main.require('vm')", "js/vm"),
        ("(0, require)('vm')", "js/vm"),
        ("require?.('vm')", "js/vm"),
        ("const r = require; r('vm')", "js/vm"),
        ("const g = process.getBuiltinModule; g('vm')", "js/vm"),
        ("globalThis.process.getBuiltinModule('vm')", "js/vm"),
        ("(await import('v8')).setFlagsFromString('--x')", "js/inspector"),
        ("process.kill(process.pid)", "js/process-control"),
        ("a.__proto__.b = 1", "js/prototype"),
    ],
)
def test_what_the_policy_is_about_is_seen(code: str, rule: str) -> None:
    """As it is written, and behind aliases, escapes and joined literals."""
    assert rule in _rules(code)


@pytest.mark.parametrize(
    "code",
    [
        "const text = 'eval(1); require(\"child_process\")'; // eval",
        "math.eval('1'); x.Function; f instanceof Function; typeof Function",
        "require('./child_process'); require('my-child_process'); require('vm-browserify')",
        "process.exit(0); process.env.A; process.nextTick(f)",
        "this.constructor(1); new this.constructor(); a.constructor.name",
        "const binding = 1; const { kill } = other; class A { eval() {} }",
        "require(); new require(); import.meta.url; (() => {})(); f``; new F",
        "import p, { join as j } from 'path'; p.binding; j('vm'); const q = p; q.eval('1')",
        "const e = make(); e.constructor(e); e.constructor[name]('x'); Reflect.get(e, name); Reflect.apply(f, e, [])",
        "const call = Function.prototype.call; const bound = call.bind([].slice); class A extends Function {}",
    ],
)
def test_what_only_looks_like_it_is_left_alone(code: str) -> None:
    """Strings, comments, members and modules of another name."""
    assert _rules(code) == set()


def test_the_place_is_that_of_the_thing() -> None:
    """In characters, not bytes."""
    (seen,) = check("const ä = 'ü';\n  /* ö */ eval(ä)")
    assert (seen.line, seen.column, seen.what) == (2, 11, "eval")


def test_what_is_built_while_it_runs_is_not_seen() -> None:
    """That is the sandbox's business, and the docs say so."""
    assert _rules("globalThis[['ev', 'al'].join('')]('1'); require(atob('Y2hpbGRfcHJvY2Vzcw=='))") == set()


@pytest.mark.parametrize("depth", [10_000, 100_000])
@pytest.mark.parametrize("pair", ["()", "[]", "{}"])
def test_depth_is_no_matter(depth: int, pair: str) -> None:
    """The tree is walked without recursion."""
    code = f"x = {pair[0] * depth}{pair[1] * depth}"
    assert all(seen.rule in rules() for seen in check(code))


def test_long_chains_of_calls_are_no_matter() -> None:
    """As generated code has them."""
    chain = "x" + ".b(1)" * 5_000 + ".constructor.constructor('return process')"
    assert _rules(chain) == {"js/dynamic-code"}
    assert _rules("f" + "(1)" * 5_000) == set()
