"""Plugins of the tests: a good one, and some that try to take what is not theirs."""

from __future__ import annotations

from typing import Any

from wsmgr.client import Client
from wsmgr.wire.execute import ExecuteResponse, InlinePlugin

HELLO = "export default (input) => ({ hello: input })"

REMEMBER = """
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
export default (text) => {
  if (text) writeFileSync('/tmp/remembered', text);
  return existsSync('/tmp/remembered') ? readFileSync('/tmp/remembered', 'utf8') : null;
}
"""

# One native call that fills far more than the plan has: faster than any watchdog inside.
MEMORY_BOMB = "export default (mb) => Buffer.alloc(mb * 1024 * 1024, 1).length"

# The image has no shell: its init, waiting for nothing, is the smallest program there is.
FORK_BOMB = """
import { spawn } from 'node:child_process';
export default async (most) => {
  const children = [];
  let refused = null;
  while (refused === null && children.length < most) {
    const child = spawn('/usr/local/bin/catatonit', ['-P'], { stdio: 'ignore' });
    if (child.pid === undefined) refused = await new Promise(done => child.once('error', error => done(error.code)));
    else children.push(child);
  }
  children.forEach(child => child.kill('SIGKILL'));
  return { started: children.length, refused };
}
"""

CPU_HOG = "export default () => { for (;;); }"

SCRATCH_FILL = """
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
export default (most) => {
  const block = Buffer.alloc(1 << 20, 1), file = openSync('/tmp/fill', 'w');
  let written = 0;
  try {
    while (written < most * (1 << 20)) written += writeSync(file, block);
    return { written, refused: null };
  } catch (error) {
    return { written, refused: error.code };
  } finally {
    closeSync(file);
    rmSync('/tmp/fill');
  }
}
"""


def run(client: Client, user: str, code: str, input: object = None, **more: Any) -> ExecuteResponse:  # noqa: A002
    """Run inline code for a user."""
    plugin = InlinePlugin(slug=more.pop("slug", "probe"), language="javascript", code=code)
    return client.execute(user, plugin, input, **more)


def output(client: Client, user: str, code: str, input: object = None, **more: Any) -> Any:  # noqa: A002
    """The output of inline code, which must succeed."""
    answer = run(client, user, code, input, **more)
    assert answer.success, answer.error
    return answer.output
