"""The filter of the fleet: words that all must hold.

text          in the id, status, plan or reason; else its letters in this order in the id (fuzzy)
!word         the opposite of any word
name:text     of one column: id, owner, status, plan, reason, isolation, health, marked
name>number   of a figure: cpu and mem (% of a core, MiB; with a % sign: of the limit), net (bytes/s), exec,
              restarts, failures, up and idle (seconds; or 5m, 2h, 1d); also <, >=, <=, =
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tui.model.row import Row

Matches = Callable[[Row, float], bool]

_COMPARISON = re.compile(r"([a-z/]+)(>=|<=|>|<|=)(.*)")
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)([a-z%]*)")
_TIMES = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_SCALES = {
    "up": _TIMES,
    "idle": _TIMES,
    "net": {"": 1.0, "k": 1024.0, "m": 1024.0**2, "g": 1024.0**3},
    "mem": {"": 1.0, "m": 1.0, "g": 1024.0},
}
_TEXTS: dict[str, Callable[[Row], str]] = {
    "id": lambda row: row.id,
    "owner": lambda row: row.owner,
    "status": lambda row: row.status,
    "plan": lambda row: row.plan,
    "reason": lambda row: row.reason,
    "isolation": lambda row: row.isolation,
    "desired": lambda row: row.desired,
    "health": lambda row: {True: "ok", False: "sick", None: "unknown"}[row.healthy],
}
_EXACT = {"status", "plan", "isolation", "desired", "health"}
_FIGURES: dict[str, Callable[[Row, float], float | None]] = {
    "cpu": lambda row, _: row.cpu_percent,
    "mem": lambda row, _: row.memory_mb,
    "net": lambda row, _: row.network_rate,
    "exec": lambda row, _: row.executions_per_minute,
    "restarts": lambda row, _: row.restarts,
    "failures": lambda row, _: row.failures,
    "up": lambda row, now: None if row.started_at is None else now - row.started_at,
    "idle": lambda row, now: None if row.idle_since is None else now - row.idle_since,
}
_SHARES: dict[str, Callable[[Row], float | None]] = {
    "cpu": lambda row: row.cpu_share,
    "mem": lambda row: row.memory_share,
}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": lambda have, want: have > want,
    "<": lambda have, want: have < want,
    ">=": lambda have, want: have >= want,
    "<=": lambda have, want: have <= want,
    "=": lambda have, want: have == want,
}


class BadFilter(Exception):
    """A filter that means nothing; its text is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Filter:
    """`text` as it was typed, and what it means. The empty filter matches everything."""

    text: str = ""
    words: tuple[Matches, ...] = ()

    def matches(self, row: Row, now: float) -> bool:
        """Whether the row is shown; `now` in seconds since the epoch."""
        return all(word(row, now) for word in self.words)


def parse(text: str) -> Filter:
    """The filter that was typed. Raises BadFilter."""
    return Filter(text.strip(), tuple(_word(word) for word in text.split()))


def _word(word: str) -> Matches:
    if word.startswith("!"):
        if word == "!":
            raise BadFilter("A `!` needs a word after it: `!stopped` leaves out what is stopped.")
        inner = _word(word[1:])
        return lambda row, now: not inner(row, now)
    folded = word.casefold()
    if comparison := _COMPARISON.fullmatch(folded):
        return _compared(*comparison.groups())
    name, colon, wanted = folded.partition(":")
    # `user:` and `org:` begin an id.
    if not colon or name in {"user", "org"}:
        return _plain(folded)
    if name not in _TEXTS:
        raise BadFilter(f"There is no column `{name}`; text columns are {_listed(_TEXTS)}.")
    if not wanted:
        raise BadFilter(f"`{name}:` needs a value after it, as in `plan:FREE` or `status:error`.")
    read = _TEXTS[name]
    if name in _EXACT:
        return lambda row, _: read(row).casefold().startswith(wanted)
    return lambda row, _: wanted in read(row).casefold()


def _compared(name: str, sign: str, number: str) -> Matches:
    if name not in _FIGURES:
        raise BadFilter(f"There is no figure `{name}`; figures are {_listed(_FIGURES)}.")
    parts = _NUMBER.fullmatch(number)
    if parts is None:
        raise BadFilter(f"`{name}{sign}` needs a number after it, such as `{name}{sign}50`.")
    value, unit, compare = float(parts[1]), parts[2], _COMPARE[sign]
    if unit == "%" and name in _SHARES:
        share = _SHARES[name]
        return lambda row, _: _holds(compare, _times(share(row), 100.0), value)
    value *= _scale(name, unit)
    figure = _FIGURES[name]
    return lambda row, now: _holds(compare, figure(row, now), value)


def _scale(name: str, unit: str) -> float:
    known = _SCALES.get(name, {"": 1.0})
    if unit not in known:
        own = ", ".join(f"`{one}`" for one in known if one)
        raise BadFilter(f"`{name}` has no unit `{unit}`; {f'its units are {own}' if own else 'it has none'}.")
    return known[unit]


def _holds(compare: Callable[[float, float], bool], have: float | None, want: float) -> bool:
    """What is not known is neither more nor less."""
    return have is not None and compare(have, want)


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _plain(wanted: str) -> Matches:
    return lambda row, _: wanted in row.searched or _fuzzy(wanted, row.id.casefold())


def _fuzzy(wanted: str, text: str) -> bool:
    """All letters of `wanted`, in order, anywhere in `text`. One or two letters would match almost anything."""
    if len(wanted) < 3:
        return False
    rest = iter(text)
    return all(letter in rest for letter in wanted)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
