"""`make soak`: hours of an operator's bad luck in minutes, on real podman. Exit code 1 when anything was violated."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from tests.podman.daemon.rig import ensure_image, refuse_root
from tests.soak.soak import Soak
from tests.soak.stage import Stage

LOG_LINES, LINE_LENGTH = 25, 400
"""How much of the daemon's log is shown where something was violated."""
TOLD = 40


def main() -> int:
    """Run one and say how it went."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of all decisions (default: 1)")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long things are broken (default: 10)")
    parser.add_argument("--keep", action="store_true", help="leave the daemon's folder, with its log and database")
    chosen = parser.parse_args()
    refuse_root()
    ensure_image()
    # A unix socket's path has 107 bytes at the most.
    folder = tempfile.mkdtemp(prefix="wsm-soak-")
    sys.stdout.write(f"A soak of {chosen.minutes:g} minutes with the seed {chosen.seed}, in {folder}.\n")
    stage = Stage(Path(folder), chosen.seed)
    wrong = asyncio.run(Soak(stage, chosen.minutes).run())
    if wrong:
        for line in stage.daemon.log.read_text(errors="replace").splitlines()[-LOG_LINES:]:
            sys.stdout.write(f"  {line[:LINE_LENGTH]}\n")
    for sentence in wrong[:TOLD]:
        sys.stdout.write(f"VIOLATION {sentence}\n")
    if len(wrong) > TOLD:
        sys.stdout.write(f"... and {len(wrong) - TOLD} more\n")
    again = f"python -m tests.soak --seed {chosen.seed} --minutes {chosen.minutes:g}"
    sys.stdout.write(f"{len(wrong)} violations. The same decisions again: {again}\n")
    if not chosen.keep:
        shutil.rmtree(folder)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
