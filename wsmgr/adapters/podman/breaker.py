"""The container that tries to break its limits: the body of a workspace, with another program in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from wsmgr.adapters.podman.trial import Attempt

REPORT = "wsmgr-trial.json"
"""The report's name in the container's /tmp. It is replaced as a whole after each step, so that it is never half."""

_INIT = "/usr/local/bin/catatonit"
_NODE = "/usr/local/bin/node"

# Takes memory until something stops it. Asks to be the one that is killed, and not the process that tells of it.
_GREEDY = """
try { require('fs').writeFileSync('/proc/self/oom_score_adj', '1000'); } catch {}
const kept = [];
for (let mb = 0; mb < Number(process.argv[1]); mb += 4) kept.push(Buffer.alloc(4 << 20, 1));
"""

# The image has no shell and no other program, so that catatonit, waiting for nothing, is the small child process.
SCRIPT = (
    """
const fs = require('fs'), { spawn } = require('child_process');
const attempt = JSON.parse(process.argv[1]), report = '/tmp/REPORT', seen = {};
const tell = (part) => {
  fs.writeFileSync(report + '.new', JSON.stringify(Object.assign(seen, part)));
  fs.renameSync(report + '.new', report);
};
const start = (program, args) => {
  const child = spawn(program, args, { stdio: 'ignore' });
  const over = new Promise((done) => {
    child.once('error', (error) => done(error.code));
    child.once('exit', (code, signal) => done(signal ?? `exit ${code}`));
  });
  return { child, over };
};
const fork = async () => {
  const started = [];
  let refused = null;
  while (refused === null && started.length < attempt.forks) {
    const one = start('INIT', ['-P']);
    if (one.child.pid === undefined) refused = await one.over; else started.push(one);
  }
  started.forEach((one) => one.child.kill('SIGKILL'));
  await Promise.all(started.map((one) => one.over));
  tell({ forks: started.length, refused });
};
const burn = () => {
  const before = process.cpuUsage(), from = performance.now();
  while (performance.now() - from < attempt.burn_ms);
  const used = process.cpuUsage(before);
  tell({ burn_ms: Math.round(performance.now() - from), cpu_ms: Math.round((used.user + used.system) / 1000) });
};
(async () => {
  await fork();
  if (attempt.burn_ms) burn();
  if (attempt.greedy_mb) tell({ greedy: await start(process.execPath, ['-e', GREEDY, `${attempt.greedy_mb}`]).over });
  tell({ done: true });
})();
setInterval(() => {}, 1 << 30);
""".replace("REPORT", REPORT)
    .replace("INIT", _INIT)
    .replace("GREEDY", json.dumps(_GREEDY))
)


def breaker_body(
    body: Mapping[str, object], attempt: Attempt, *, by_group: bool, script: str = SCRIPT
) -> dict[str, object]:
    """`body` is that of a workspace. `by_group`: the group's pids.max is to be broken.

    The kernel asks RLIMIT_NPROC first: it is lifted for once, so that it is certain which of the two refused.
    """
    changed = dict(body)
    if by_group:
        limits = body["r_limits"]
        assert isinstance(limits, list)  # noqa: S101 (for the type checker: create_body made it)
        nproc = {"type": "nproc", "soft": 4 * attempt.forks, "hard": 4 * attempt.forks}
        changed["r_limits"] = [nproc if limit["type"] == "nproc" else limit for limit in limits]
    changed["entrypoint"] = [_INIT, "--", _NODE, "--max-semi-space-size=2", "--v8-pool-size=1", "-e", script]
    changed["command"] = [json.dumps(asdict(attempt))]
    return changed
