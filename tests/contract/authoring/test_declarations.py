"""The declarations for JavaScript authors, by the TypeScript compiler itself: what is right passes, and nothing else.

Those for Python are held by mypy, in tests/cli.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.samples.bundle import type_checker

SKELETON = Path(__file__).parents[3] / "wsmgr" / "skeletons" / "javascript"

GOOD = """
import type { Context, Json, Plugin, Steps } from './wsmgr';

export const plain: Plugin = (input, context) => [input, context.owner, context.organizationId ?? 'none'];
export const later: Plugin<{ n: number }, number> = async ({ n }, context) => {
  context.emit({ left: context.deadline - Date.now() });
  return n + (context.secrets.API_KEY ?? '').length;
};
export const steps: Plugin<Json, string> = function* (_input, context): Steps<string> {
  yield Object.keys(context.config);
  return context.executionId;
};
export const told: Plugin<Json, string> = async function* (_input, context) {
  yield context.version;
  return context.plugin;
};
export function own(context: Context): unknown {
  return context['added by the caller'];
}
"""
BAD = {
    "a secret that may be missing": "export const NAME: Plugin<Json, number> = (_, c) => c.secrets.API_KEY.length;",
    "a change of the context": "export const NAME: Plugin = (_, c) => { c.owner = 'user:other'; };",
    "a change of the configuration": "export const NAME: Plugin = (_, c) => { c.config.a = 1; };",
    "an input of another shape": "export const NAME: Plugin<{ n: number }, number> = (input) => input.m;",
    "an output of another type": "export const NAME: Plugin<Json, number> = () => 'text';",
    "no function": "export const NAME: Plugin = { run() {} };",
    "what is not JSON": "export const NAME: Json = new Date();",
    "a member that is nobody's": "export const NAME: Plugin<Json, string> = (_, c) => c.owners;",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What `wsmgr plugin new` makes."""
    shutil.copytree(SKELETON, tmp_path / "plugin")
    return tmp_path / "plugin"


def _checked(project: Path) -> list[str]:
    """What the compiler says, with the project's own settings."""
    command = [*type_checker(), "--noEmit", "--pretty", "false", "--project", "jsconfig.json"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=100, check=False)
    said = done.stdout.splitlines()
    assert bool(said) is (done.returncode != 0), (done.returncode, done.stdout, done.stderr)
    return said


def _with_typescript(project: Path, code: str) -> None:
    settings = json.loads((project / "jsconfig.json").read_text())
    settings["include"].append("*.ts")
    (project / "jsconfig.json").write_text(json.dumps(settings))
    (project / "mine.ts").write_text(code)


def test_the_skeleton_passes(project: Path) -> None:
    """As it is; the control is a mistake in it, which is found by the declarations."""
    assert _checked(project) == []
    index = project / "index.js"
    index.write_text(index.read_text().replace("context.executionId", "context.executionId.size"))
    (found,) = _checked(project)
    assert re.match(r"index\.js\(\d+,\d+\): error TS2339: Property 'size' does not exist", found)


def test_every_way_to_write_a_plugin_passes(project: Path) -> None:
    """Sync, async and generators of both kinds, with what a context has."""
    _with_typescript(project, GOOD)
    assert _checked(project) == []


def test_what_is_wrong_is_found(project: Path) -> None:
    """One error for each mistake, in its line."""
    lines = [code.replace("NAME", f"mistake{number}") for number, code in enumerate(BAD.values())]
    _with_typescript(project, "\n".join(["import type { Json, Plugin } from './wsmgr';", *lines]))
    found = {int(match[1]) for line in _checked(project) if (match := re.match(r"mine\.ts\((\d+),", line))}
    missed = [what for number, what in enumerate(BAD, start=2) if number not in found]
    assert missed == []
