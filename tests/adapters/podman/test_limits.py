"""What is said of the kernel's limits, from what was written, tried and counted on hosts of every kind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.adapters.podman.test_matrix import FACTS, GOOD, HELD, SPEC
from wsmgr.adapters.podman.limits import LimitJudge
from wsmgr.adapters.podman.readings import Readings
from wsmgr.adapters.podman.trial import Report, Trial
from wsmgr.core.capability import Capability, Level

BARE = replace(GOOD, cgroup_files={})
REFUSED = Trial(Report(forks=43, refused="EAGAIN", done=True))
UNFINISHED = Trial(unfinished="it took longer than 10 s")


def _with(file: str, value: str) -> Readings:
    return replace(GOOD, cgroup_files={**GOOD.cgroup_files, file: value})


def _said(**report: object) -> Trial:
    """A trial of which the kernel counted nothing."""
    return replace(HELD, report=replace(HELD.report, **report), counts={})  # type: ignore[arg-type]


def _line(name: str, seen: Readings, trial: Trial) -> Capability:
    judge = LimitJudge(seen, SPEC, FACTS, (), trial)
    return {"memory": judge.memory, "cpu": judge.cpu, "pids": judge.pids, "freeze": judge.freeze}[name]()


@pytest.mark.parametrize(
    ("name", "evidence"),
    [
        ("memory", "a process that took more was killed (memory.events: oom_kill 1)"),
        ("cpu", "a busy process was held back (cpu.stat: nr_throttled 4)"),
        ("pids", "fork was refused after 37 processes (pids.events: max 2)"),
        ("freeze", "brought `frozen 1` in cgroup.events"),
    ],
)
def test_what_was_broken_on_purpose_and_held_is_enforced(name: str, evidence: str) -> None:
    """The evidence is the kernel's count; nothing is left to mend."""
    line = _line(name, GOOD, HELD)
    assert (line.level, line.mend) == (Level.ENFORCED, None)
    assert evidence in line.evidence


@pytest.mark.parametrize(
    ("name", "seen", "trial", "level", "evidence"),
    [
        ("memory", BARE, REFUSED, Level.ABSENT, "no memory.max"),
        ("memory", _with("memory.max", "max"), HELD, Level.ABSENT, "memory.max is 'max'"),
        ("memory", _with("memory.swap.max", "max"), HELD, Level.BEST_EFFORT, "can also fill swap"),
        ("memory", GOOD, _said(greedy="exit 0"), Level.ABSENT, "did not hold: a process set out to take 201326592"),
        ("memory", GOOD, _said(greedy="SIGKILL"), Level.ABSENT, "oom_kill 0"),
        ("memory", GOOD, _said(greedy=None), Level.BEST_EFFORT, "it said nothing of this"),
        ("memory", GOOD, UNFINISHED, Level.BEST_EFFORT, "did not finish: it took longer than 10 s."),
        ("cpu", BARE, REFUSED, Level.ABSENT, "no cpu.max"),
        ("cpu", _with("cpu.max", "max 100000"), HELD, Level.ABSENT, "cpu.max is 'max 100000'"),
        ("cpu", GOOD, _said(cpu_ms=399), Level.ABSENT, "did not hold: a busy process had 399 ms of CPU in 400 ms"),
        ("cpu", GOOD, _said(cpu_ms=80), Level.BEST_EFFORT, "the host has too much to do"),
        ("cpu", GOOD, UNFINISHED, Level.BEST_EFFORT, "did not finish"),
        ("pids", BARE, REFUSED, Level.BEST_EFFORT, "RLIMIT_NPROC is 49"),
        ("pids", BARE, REFUSED, Level.BEST_EFFORT, "fork was refused after 43 processes"),
        ("pids", BARE, Trial(Report(forks=64, done=True)), Level.ABSENT, "64 processes were started and none was"),
        ("pids", BARE, Trial(Report(forks=0, refused="ENOENT", done=True)), Level.ABSENT, "failed with ENOENT"),
        ("pids", BARE, UNFINISHED, Level.BEST_EFFORT, "did not finish: it took longer than 10 s."),
        ("pids", replace(BARE, nproc="unlimited"), REFUSED, Level.ABSENT, "no pids.max"),
        ("pids", GOOD, _said(refused=None, forks=64), Level.ABSENT, "pids.max is 48 and did not hold: 64 processes"),
        ("pids", GOOD, _said(), Level.BEST_EFFORT, "by another limit"),
        ("pids", GOOD, UNFINISHED, Level.BEST_EFFORT, "did not finish"),
        ("freeze", BARE, REFUSED, Level.ABSENT, "There is no control group"),
        ("freeze", GOOD, replace(HELD, freeze="nothing stood still"), Level.ABSENT, "failed: nothing stood still."),
    ],
)
def test_what_did_not_hold_is_never_claimed(
    name: str, seen: Readings, trial: Trial, level: Level, evidence: str
) -> None:
    """What is not written is absent, what did not hold is absent, what could not be tried is not enforced."""
    line = _line(name, seen, trial)
    assert line.level is level
    assert evidence in line.evidence
    assert line.mend


def test_a_count_of_the_kernels_is_enough_without_the_whole_report() -> None:
    """On a slow host the report may be late; what the kernel has counted is counted."""
    trial = replace(UNFINISHED, counts={"oom_kill": 1, "nr_throttled": 9})
    assert _line("memory", GOOD, trial).level is Level.ENFORCED
    assert _line("cpu", GOOD, trial).level is Level.ENFORCED
