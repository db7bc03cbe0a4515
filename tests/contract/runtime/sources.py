"""The plugins of the suite by case name, in each language. A case does the same in every language it has."""

from __future__ import annotations

import pytest

from tests.contract.runtime.sources_python import PYTHON

# case → language → code
SOURCES: dict[str, dict[str, str]] = {
    "echo": {"javascript": "export default (input, context) => ({ input, context });"},
    "echo-later": {
        "javascript": """export default async function (input) {
            await new Promise((r) => setTimeout(r, 1));
            return input;
        }"""
    },
    "version-one": {"javascript": "export default () => 'one';"},
    "version-two": {"javascript": "export default () => 'two';"},
    "says-nothing": {"javascript": "export default () => {};"},
    "raises": {"javascript": "export default function explode(input) {\n  return input.missing.deeper;\n}\n"},
    "raises-later": {
        "javascript": "export default async function explode() { await null; throw new TypeError('too late'); }"
    },
    "recurses": {"javascript": "export default function again(n) { return again(n + 1) + 1; }"},
    "spins": {"javascript": "export default () => { console.log('before'); for (;;); }"},
    "spins-later": {"javascript": "export default async () => { for (;;) await null; }"},
    "never-answers": {"javascript": "export default () => new Promise(() => {});"},
    "exits": {"javascript": "export default () => { console.log('bye'); process.exit(3); }"},
    "grows-heap": {"javascript": "export default () => { const all = []; for (;;) all.push({ some: [1, 2, 3] }); }"},
    "grows-one-list": {"javascript": "export default () => { const all = []; for (;;) all.push(1); }"},
    "grows-one-map": {
        "javascript": "export default () => { const m = new Map(); for (let i = 0; ; i++) m.set(i, { i }); }"
    },
    "grows-one-text": {"javascript": "export default () => { let s = 'xyz'; for (;;) { s += s; JSON.stringify(s); } }"},
    "grows-bytes": {"javascript": "export default () => { const all = []; for (;;) all.push(Buffer.alloc(4e6, 1)); }"},
    "prints": {
        "javascript": """export default () => {
            console.log('hello %s %d', 'world', 42, { a: 1 });
            console.error('bad'); console.warn('hm'); console.info('fyi'); console.debug('dbg');
            process.stdout.write('raw'); process.stderr.write('raw too');
        }"""
    },
    "prints-a-lot": {
        "javascript": """export default () => {
            const mb = 'x'.repeat(1e6 - 1) + '\\n';
            for (let i = 0; i < 25; i++) { console.log(mb); process.stdout.write(mb); }
            return 'done';
        }"""
    },
    "prints-many-lines": {
        "javascript": """export default () => {
            for (let i = 0; i < 300000; i++) console.log('line', i);
            return 'done';
        }"""
    },
    "prints-input": {"javascript": "export default (input) => { console.log(input); return input; }"},
    "returns-bytes": {"javascript": "export default (n) => 'x'.repeat(n);"},
    "returns-cycle": {"javascript": "export default () => { const a = {}; a.a = a; return a; }"},
    "refuses-to-serialize": {
        "javascript": "export default () => ({ toJSON() { throw new Error('no json for you'); } });"
    },
    "sees-environment": {"javascript": "export default () => ({ ...process.env });"},
    "waits-for-file": {
        "javascript": """import fs from 'node:fs';
        export default async function (path) {
            while (!fs.existsSync(path)) await new Promise((r) => setTimeout(r, 5));
            return 'one';
        }"""
    },
    "spins-until-file": {
        "javascript": """import fs from 'node:fs';
        export default function (path) { while (!fs.existsSync(path)); return 'found'; }"""
    },
    "generates": {
        "javascript": """export default function* (n) {
            console.log('first');
            for (let i = 0; i < n; i++) yield { i };
            console.log('last');
            return 'done';
        }"""
    },
    "generates-later": {
        "javascript": """export default async function* (n) {
            console.log('first');
            for (let i = 0; i < n; i++) { await null; yield { i }; }
            console.log('last');
            return 'done';
        }"""
    },
    "emits": {
        "javascript": """export default (n, context) => {
            console.log('first');
            for (let i = 0; i < n; i++) context.emit({ i });
            console.log('last');
            return 'done';
        }"""
    },
    "emits-then-waits-for-file": {
        "javascript": """import fs from 'node:fs';
        export default async function* (path) {
            console.log('waiting');
            yield 'ready';
            while (!fs.existsSync(path)) await new Promise((r) => setTimeout(r, 5));
            return 'found';
        }"""
    },
    "emits-endlessly": {"javascript": "export default (value, context) => { for (;;) context.emit(value); }"},
    "emits-and-catches": {
        "javascript": "export default (value, context) => { for (;;) try { context.emit(value); } catch {} }"
    },
    "emits-what-is-no-json": {"javascript": "export default (input, context) => context.emit(context.emit);"},
    "emits-then-raises": {"javascript": "export default function* () { yield 1; throw new TypeError('half-way'); }"},
    "emits-after-its-end": {
        "javascript": """let late = null;
        export default (input, { emit }) => { const before = late; late = emit; before?.('stray'); return 1; }"""
    },
    "sees-given": {
        "javascript": """export default (_input, { config, secrets }) => ({
            config, names: Object.keys(secrets), value: secrets.TOKEN ?? null,
        });"""
    },
    "changes-given": {
        "javascript": """export default (_input, { config, secrets }) => {
            try { config.deep.a = 2; } catch {}
            try { secrets.TOKEN = 'other'; } catch {}
            try { delete secrets.TOKEN; } catch {}
            return [config.deep.a, secrets.TOKEN];
        }"""
    },
    "leaks-context": {
        "javascript": """export default (_input, context) => {
            console.log(context); console.log('%s %j', context.secrets, context);
            return context;
        }"""
    },
    "sees-deadline": {"javascript": "export default (_input, context) => context.deadline;"},
    "counts": {"javascript": "let calls = 0;\nexport default () => ++calls;"},
    "load-syntax-error": {"javascript": "export default function () {\n  return 1 +;\n}\n"},
    "load-raises": {"javascript": "export default () => 1;\nthrow new RangeError('not today');\n"},
    "load-spins": {"javascript": "for (;;);"},
    "load-grows": {"javascript": "const all = []; for (;;) all.push(Buffer.alloc(4e6, 1));"},
    "load-exits": {"javascript": "process.exit(4);"},
    "load-no-function": {"javascript": "export const answer = 42;"},
    "load-unknown-module": {"javascript": "import _ from 'lodash';\nexport default () => _.VERSION;"},
}

for _case, _code in PYTHON.items():
    SOURCES.setdefault(_case, {})["python"] = _code


def source(case: str, language: str) -> str:
    """The code of a case; a language without it fails the test rather than skip it."""
    code = SOURCES[case].get(language)
    if code is None:
        pytest.fail(f"the case {case} has no {language} source yet: add it to sources.SOURCES")
    return code
