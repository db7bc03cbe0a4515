"""Bundles of the suite by case name, in each language that has them: the entry, and the files by path."""

from __future__ import annotations

import base64
from collections.abc import Mapping

Files = Mapping[str, str]

# case → language → (entry, files)
BUNDLES: dict[str, dict[str, tuple[str, Files]]] = {
    "requires-its-own": {
        "javascript": (
            "index.js",
            {
                "index.js": "const { twice } = require('./lib/twice'); const dep = require('dep');\n"
                "module.exports = (n) => dep(twice(n));",
                "lib/twice.js": "exports.twice = (n) => 2 * n;",
                "node_modules/dep/package.json": '{"name": "dep", "main": "lib/main.js"}',
                "node_modules/dep/lib/main.js": "module.exports = (n) => ({ dep: n });",
            },
        )
    },
    "imports-its-own": {
        "javascript": (
            "src/index.js",
            {
                "package.json": '{"type": "module"}',
                "src/index.js": "import { twice } from './twice.js'; import dep from 'dep'; import old from 'old';\n"
                "export default async (n) => ({ ...dep(old(twice(n))), later: (await import('./later.js')).default });",
                "src/twice.js": "export const twice = (n) => 2 * n;",
                "src/later.js": "export default 'later';",
                "node_modules/dep/package.json": '{"exports": "./main.mjs"}',
                "node_modules/dep/main.mjs": "export default (n) => ({ dep: n });",
                "node_modules/old/index.js": "module.exports = (n) => n + 1;",
            },
        )
    },
    "reads-its-files": {
        "javascript": (
            "index.js",
            {
                "index.js": "const fs = require('fs'); const path = require('path');\n"
                "module.exports = () => [fs.readFileSync(path.join(__dirname, 'data', 'a.txt'), 'utf8'), "
                "path.basename(__filename), fs.readdirSync(__dirname).sort()];",
                "data/a.txt": "äöü",
            },
        )
    },
    "says-one": {
        "javascript": (
            "index.js",
            {"index.js": "module.exports = require('./word');", "word.js": "module.exports = () => 'one';"},
        )
    },
    "says-two": {
        "javascript": (
            "index.js",
            {"index.js": "module.exports = require('./word');", "word.js": "module.exports = () => 'two';"},
        )
    },
    "misses-a-module": {"javascript": ("index.js", {"index.js": "require('not-there');"})},
    "raises-in-a-file": {
        "javascript": (
            "index.js",
            {
                "index.js": "module.exports = (n) => require('./lib/deep').fail(n);",
                "lib/deep.js": "exports.fail = () => {\n  throw new TypeError('deep down');\n};",
            },
        )
    },
    "is-broken": {
        "javascript": (
            "index.js",
            {"index.js": "require('./lib/broken');", "lib/broken.js": "const a = 1;\nconst = 2;"},
        )
    },
}


def bundle(case: str, language: str) -> dict[str, object]:
    """The `bundle` of a PUT."""
    entry, files = BUNDLES[case][language]
    return wire(entry, files)


def wire(entry: str, files: Files) -> dict[str, object]:
    """Any files as they are sent."""
    sent = [{"path": path, "data": base64.b64encode(text.encode()).decode()} for path, text in files.items()]
    return {"entry": entry, "files": sent}
