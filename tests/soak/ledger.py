"""What the daemon was heard to promise: every answer to a client, in a form that can be held against what is there."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.soak.acts import Call
from wsmgr.wire.event import Event
from wsmgr.wire.execute import ExecuteResponse

NOT_RUN = frozenset(
    {"never_started", "engine_unavailable", "shutting_down", "quota_exceeded", "host_full", "store_unavailable",
     "not_found"}
)  # fmt: skip
"""The refusals that a soak may meet. All but `store_unavailable` promise that the call did not run."""


@dataclass(slots=True)
class Told:
    """What was heard of one execution: its answers, the codes of its refusals, and how often nothing came. `last` is
    the last of these: `answer`, a code, or `nothing`. `begun` is on the monotonic clock."""

    execution: str
    call: Call
    answers: list[ExecuteResponse] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    silences: int = 0
    last: str = "nothing"
    begun: float = field(default_factory=time.monotonic)

    def answered(self, answer: ExecuteResponse) -> None:
        """It ended."""
        self.answers.append(answer)
        self.last = "answer"

    def refused(self, code: str) -> None:
        """The daemon said no."""
        self.refusals.append(code)
        self.last = code

    def unheard(self) -> None:
        """The daemon was away, or went away."""
        self.silences += 1
        self.last = "nothing"


@dataclass(slots=True, eq=False)
class Shift:
    """One change of which version of a plugin is current; None: there is no such plugin any more. Times are monotonic;
    `done` None: it is not acknowledged, and may have happened or not."""

    version: str | None
    begun: float
    done: float | None = None


@dataclass(slots=True)
class History:
    """What became of one plugin. One author makes its changes, one after the other. `versions` are those stored, with
    the number in their code."""

    shifts: list[Shift] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)

    def begin(self, version: str | None) -> Shift:
        """A change is about to be asked for."""
        shift = Shift(version, time.monotonic())
        self.shifts.append(shift)
        return shift

    def acknowledged(self, shift: Shift, number: int | None = None) -> None:
        """It was done. `number` is that of a new version."""
        shift.done = time.monotonic()
        if shift.version is None:
            self.versions.clear()
        elif number is not None:
            self.versions[shift.version] = number

    def refused(self, shift: Shift) -> None:
        """It was not done."""
        self.shifts.remove(shift)

    def current(self) -> set[str | None]:
        """What may be current now."""
        return self.possible(time.monotonic(), time.monotonic())

    def possible(self, begun: float, ended: float) -> set[str | None]:
        """What may have been current at some moment between the two."""
        found: set[str | None] = set()
        for shift in reversed([Shift(None, 0.0, 0.0), *self.shifts]):
            if shift.begun <= ended:
                found.add(shift.version)
            if shift.done is not None and shift.done < begun:
                break
        return found


@dataclass(slots=True)
class Ledger:
    """Everything that the actors have heard. `wrong` are the violations that showed at once."""

    told: dict[str, Told] = field(default_factory=dict)
    plugins: dict[tuple[str, str], History] = field(default_factory=dict)
    desired: dict[str, set[str]] = field(default_factory=dict)
    promised_events: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    heard: list[Event] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def history(self, owner: str, slug: str) -> History:
        """The history of one plugin."""
        return self.plugins.setdefault((owner, slug), History())

    def new(self, call: Call, execution: str | None) -> Told:
        """Begin to note what is heard of a call. One without an id of its own is kept under its answer's."""
        told = Told(execution or f"unnamed {next(self._numbers)}", call)
        if execution is not None:
            self.told[execution] = told
        return told

    def violation(self, sentence: str) -> None:
        """Note something that must not be."""
        self.wrong.append(sentence)
        self.tally["violations"] += 1
