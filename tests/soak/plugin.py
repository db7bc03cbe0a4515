"""The plugin that a soak calls: it leaves a trace of every run in its workspace, and ends as it is asked to."""

from __future__ import annotations

from tests.soak.acts import How

RUNS = "runs"
"""The file in the workspace's scratch space with one execution id a line, for each run that began."""
BOOT = "boot"
"""The file there with the random name of this life of the workspace."""

_BODY = """
import { appendFileSync, linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';

function boot(nonce) {
  writeFileSync(`/tmp/${nonce}`, nonce);
  try { linkSync(`/tmp/${nonce}`, '/tmp/boot'); } catch {}
  unlinkSync(`/tmp/${nonce}`);
  return readFileSync('/tmp/boot', 'utf8');
}

const later = (ms, value) => new Promise((resolve) => setTimeout(resolve, ms, value));

export default async ({ how, ms, echo }, context) => {
  appendFileSync('/tmp/runs', context.executionId + '\\n');
  const nonce = randomUUID();
  const told = { number: NUMBER, nonce, boot: boot(nonce), echo };
  switch (how) {
    case 'slow': return later(ms, told);
    case 'noisy': for (let n = 0; n < 3000; n++) console.log('line', n, 'x'.repeat(60)); return told;
    case 'throw': throw new TypeError('asked for');
    case 'exit': process.exit(3);
    case 'spin': while (true) {}
    case 'hang': return new Promise(() => {});
    case 'memory': { const all = []; while (true) all.push(Buffer.alloc(4e6, 1)); }
    case 'big': return 'x'.repeat(9e6);
    case 'invalid': return 10n;
    case 'suicide': process.kill(process.pid, 'SIGKILL'); return later(5000, told);
    default: return told;
  }
};
"""

INLINE = 0
"""The number of code that comes with its call."""

EXPECTED: dict[How, str | None] = {
    How.OK: None,
    How.SLOW: None,
    How.NOISY: None,
    How.THROW: "Exception",
    How.EXIT: "Exit",
    How.SPIN: "Timeout",
    How.HANG: "Timeout",
    How.MEMORY: "OutOfMemory",
    How.BIG: "OutputTooLarge",
    How.INVALID: "OutputInvalid",
    How.SUICIDE: "Crash",
    How.UNLOADABLE: "LoadError",
}
"""The error of each way to end, None for success."""

ALSO = {How.BIG: "OutOfMemory"}
"""What is as right: a small workspace may have no memory left for a large output."""

DISTURBED = frozenset({"Crash", "Lost", "Cancelled", "Timeout"})
"""How a run may end instead while something is being broken: it did start, and its answer says so."""

TIMEOUT_MS = {How.SPIN: 400, How.HANG: 400}
"""The others get time enough."""
USUAL_TIMEOUT_MS = 8000

BROKEN = "throw new Error('it does not load');"


def code(number: int) -> str:
    """The version with this number."""
    return _BODY.replace("NUMBER", str(number))
