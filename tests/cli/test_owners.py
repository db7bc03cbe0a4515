"""Owners and plans on the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import CommandLine
from tests.client import canned
from tests.client.fake_daemon import FakeDaemon
from wsmgr.adapters.plans import parse
from wsmgr.cli.completion import limit_assignments, limit_names, plan_names
from wsmgr.core.plans import BUILT_IN
from wsmgr.wire.owner import OwnerPage

A = "user:alice"
ROOT = Path(__file__).parents[2]


def test_owners_are_listed(cli: CommandLine, daemon: FakeDaemon) -> None:
    """With the limits that people ask for, and the names of the overrides."""
    head, first, second = cli("owner", "ls").out.splitlines()
    assert head.split() == ["OWNER", "PLAN", "ISOLATION", "MEMORY", "CPU", "WORKSPACES", "STOPPED", "OVERRIDES"]
    assert first.split() == ["org:acme", "FREE", "-", "128", "MiB", "0.25", "1", "after", "1", "min", "-"]
    assert second.startswith("user:alice  PRO")
    daemon.tell("GET", "/api/owners", OwnerPage(items=[]))
    assert "There are no owners yet" in cli("owner", "ls").err
    daemon.tell("GET", "/api/owners", OwnerPage(items=[canned.owner(A, None, memoryMb=300, cpus=1.5)]))
    assert cli("owner", "ls").out.splitlines()[1].endswith("memoryMb, cpus")


def test_an_owner_is_shown_with_every_limit(cli: CommandLine, daemon: FakeDaemon) -> None:
    """Overrides are marked."""
    daemon.tell("GET", f"/api/owners/{A}", canned.owner(A, "PRO", memoryMb=128))
    lines = cli("owner", "show", A).out.splitlines()
    fields = {line.split()[0]: line.split(maxsplit=1)[1].strip() for line in lines}
    assert (fields["plan"], fields["isolation"], fields["fallback"]) == ("PRO", *["the daemon's choice"] * 2)
    assert (fields["memoryMb"], fields["cpus"], fields["requireEnforcedLimits"]) == ("128  (override)", "0.25", "false")


def test_set_sends_what_was_named_and_nothing_else(cli: CommandLine, daemon: FakeDaemon) -> None:
    """A change, not a replacement."""
    limits = ("--limit", "memoryMb=300", "--limit", "cpus=0.5", "--limit", "requireEnforcedLimits=true")
    assert cli("owner", "set", A, *limits, "--unset-limit", "pids").code == 0
    assert (daemon.last.method, daemon.last.path) == ("PATCH", f"/api/owners/{A}")
    overrides = {"pids": None, "memoryMb": 300, "cpus": 0.5, "requireEnforcedLimits": True}
    assert daemon.last.body == {"overrides": overrides}
    cli("owner", "set", A, "--plan", "pro", "--isolation", "docker", "--no-fallback")
    assert daemon.last.body == {"plan": "pro", "isolation": "docker", "fallback": False}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing to set"),
        (("--plan", "PROO"), "there is no plan PROO; there are FREE, PRO."),
        (("--limit", "memoryMb"), "not of the form NAME=VALUE"),
        (("--limit", "memoryMB=3"), "there is no limit 'memoryMB'; memoryMb may be meant."),
        (("--limit", "memoryMb=much"), "must be a number"),
        (("--unset-limit", "xyzzy"), "there is no limit 'xyzzy'."),
    ],
)
def test_a_mistake_is_told_before_anything_is_changed(
    arguments: tuple[str, ...], said: str, cli: CommandLine, daemon: FakeDaemon
) -> None:
    """As one of usage."""
    result = cli("owner", "set", A, *arguments)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert [seen.method for seen in daemon.seen if seen.method != "GET"] == []


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ((), {"plan": None, "isolation": None, "fallback": None, "overrides": None}),
        (("plan",), {"plan": None}),
        (("memoryMb", "fallback"), {"fallback": None, "overrides": {"memoryMb": None}}),
    ],
)
def test_unset_takes_back_all_or_what_is_named(
    what: tuple[str, ...], body: dict[str, object], cli: CommandLine, daemon: FakeDaemon
) -> None:
    """What is not a choice is a limit."""
    assert cli("owner", "unset", A, *what).code == 0
    assert daemon.last.body == body
    assert cli("owner", "unset", A, "memory").code == 2


def test_plans_are_listed_with_where_they_are_from(cli: CommandLine) -> None:
    """The last row is for owners with no plan."""
    result = cli("plan", "ls")
    lines = result.out.splitlines()
    assert lines[1].split()[:4] == ["FREE", "128", "MiB", "0.25"]
    assert "4 at once, 256 waiting" in lines[1]
    assert lines[3].startswith("no plan")
    assert result.err == "2 plans, from /etc/wsmgr/plans.yaml\n"
    assert cli("plan", "reload").out == result.out


def test_a_plan_is_shown_by_name(cli: CommandLine) -> None:
    """In upper or lower case; an unknown one is told with those that there are."""
    assert "memoryMb                   512" in cli("plan", "show", "pro").out
    missing = cli("plan", "show", "GOLD")
    assert (missing.code, missing.err) == (1, "wsmgr: there is no plan GOLD; there are FREE, PRO.\n")


def test_a_refused_reload_says_why(cli: CommandLine, daemon: FakeDaemon) -> None:
    """The daemon's own sentence."""
    daemon.refuse("POST", "/api/plans/reload", 422, "invalid_plans", "plans.yaml, line 3: cpus is 'x'.")
    result = cli("plan", "reload")
    assert (result.code, result.err) == (1, "wsmgr: plans.yaml, line 3: cpus is 'x'.\n")


def test_the_default_is_a_file_that_can_be_checked(alone: CommandLine, tmp_path: Path) -> None:
    """Without a daemon."""
    text = alone("plan", "default").out
    assert parse(text, "f") == BUILT_IN
    assert alone("plan", "default", "--json").json == yaml.safe_load(text)
    path = tmp_path / "my.yaml"
    path.write_text(text)
    assert alone("plan", "check", path).out == f"{path}: FREE, PRO, ENTERPRISE\n"
    assert alone("plan", "check").out == "built in: FREE, PRO, ENTERPRISE\n"
    (tmp_path / "plans.yaml").write_text("plans: {TEAM: {}}\n")
    beside = alone("plan", "check", "--json").json
    assert beside["plans"] == ["FREE", "PRO", "ENTERPRISE", "TEAM"]
    assert beside["file"].endswith("plans.yaml")


def test_check_tells_every_mistake_with_its_line(alone: CommandLine, tmp_path: Path) -> None:
    """And ends with 1."""
    path = tmp_path / "my.yaml"
    path.write_text("plans:\n  FREE:\n    cpus: x\n    pid: 3\n")
    result = alone("plan", "check", path)
    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines() == [
        f"{path}, line 3: cpus is 'x': it must be a number from 0.01 to 1024",
        f"{path}, line 4: There is no limit 'pid'; pids may be meant",
    ]
    seen = alone("plan", "check", path, "--json")
    assert (seen.code, seen.json["ok"], len(seen.json["mistakes"])) == (1, False, 2)
    assert alone("plan", "check", tmp_path / "none.yml").err == f"{tmp_path}/none.yml: there is no such file\n"


def test_the_shell_completes_plans_and_limits(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans as the daemon has them."""
    monkeypatch.setenv("WSMGR_SOCKET", str(daemon.path))
    assert plan_names("p") == ["PRO"]
    assert plan_names("") == ["FREE", "PRO"]
    assert limit_names("max") == ["maxConcurrentWorkspaces", "maxExecutionTimeoutMs", "maxPlugins"]
    assert limit_assignments("memory") == ["memoryMb="]


def test_the_shell_is_offered_nothing_where_no_daemon_answers(tmp_path: Path) -> None:
    """Without a word."""
    code = "from wsmgr.cli.completion import plan_names; print(plan_names(''))"
    environment = {**os.environ, "WSMGR_SOCKET": str(tmp_path / "gone.sock")}
    command = [sys.executable, "-c", code]
    seen = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, cwd=ROOT, check=True)
    assert (seen.stdout, seen.stderr) == ("[]\n", "")
