"""A host for hand work, as the tests have it.

    python -m tests.host.shell up           boot it (bare the first time, then as it was left)
    python -m tests.host.shell provision    run playbooks/site.yml on it (minutes)
    python -m tests.host.shell push         only the Python code of this tree, and a new daemon (seconds)
    python -m tests.host.shell run 'podman ps'      a command as root
    python -m tests.host.shell user 'podman ps'     a command as the service user
    python -m tests.host.shell ssh          how to get in
    python -m tests.host.shell down         pull the plug; `--forget` removes its disk as well

WSMGR_TEST_HOST=kept pytest tests/host -k memory      runs tests on it instead of on a fresh one
"""

from __future__ import annotations

import argparse
import shlex
import sys

from tests.host.host import API, Host
from tests.host.kept import forget, kept, running
from tests.host.progress import to_screen
from tests.host.ssh import RemoteFailure

COMMANDS = ("up", "provision", "push", "run", "user", "ssh", "down")


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("script", nargs="?", default="", help="for run and user: what the shell there gets")
    parser.add_argument("--forget", action="store_true", help="for down: the next host is a bare one")
    arguments = parser.parse_args()
    if arguments.command == "down":
        return _down(arguments.forget)
    try:
        return _do(kept(to_screen), arguments.command, arguments.script)
    except (RemoteFailure, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _do(host: Host, command: str, script: str) -> int:
    match command:
        case "provision":
            host.provision()
        case "push":
            host.push()
        case "run":
            sys.stdout.write(host.ssh(script, timeout_s=3600))
        case "user":
            sys.stdout.write(host.as_service(script, timeout_s=3600))
        case _:
            sys.stdout.write(f"{shlex.join(host.root.command)}\nthe API's socket there is {API}\n")
    return 0


def _down(remove: bool) -> int:
    host = running(to_screen)
    if host is not None:
        host.root.disconnect()
        host.machine.kill()
    if remove:
        forget()
    return 0


if __name__ == "__main__":
    sys.exit(main())
