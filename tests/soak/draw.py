"""The decisions of a soak: every actor draws from a seed of its own, and from nothing that happens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import TypeVar

from tests.soak.acts import DAEMON_FAULTS, Act, Blow, Call, Change, Fault, How, Place, PluginAct, Verb

T = TypeVar("T")

USERS = tuple(Place(f"u{number}") for number in range(6))
"""FREE: one workspace each."""
ACME = tuple(Place(f"member{n}", "acme", name) for n, name in enumerate((None, "left", "right")))
"""PRO: three workspaces of one organisation, called by three people."""
STILL = tuple(Place("keeper", "still", name) for name in (None, "k1", "k2"))
"""PRO: nobody calls these, so that what is wanted of them is what the last person said."""
CALLED = (*USERS, *ACME)
EVERY = (*CALLED, *STILL)
OWNERS = tuple(dict.fromkeys(place.owner for place in EVERY))
PLANS = {place.owner: "PRO" for place in (*ACME, *STILL)}
"""FREE is what everybody else has."""
STORED = "probe"
"""The slug that is always there; its current version changes."""
FLEETING = "fleeting"
"""The slug that comes and goes."""

_HOWS: Mapping[How, float] = {
    How.OK: 40, How.SLOW: 14, How.NOISY: 3, How.THROW: 6, How.EXIT: 3, How.SPIN: 3, How.HANG: 3, How.MEMORY: 1,
    How.BIG: 2, How.INVALID: 3, How.SUICIDE: 1, How.UNLOADABLE: 3,
}  # fmt: skip
_WILD: Mapping[Verb, float] = {
    Verb.START: 4, Verb.STOP: 3, Verb.RESTART: 2, Verb.PAUSE: 3, Verb.RESUME: 2, Verb.TOUCH: 3, Verb.RECOVER: 6,
    Verb.DELETE: 1,
}  # fmt: skip
_KEPT: Mapping[Verb, float] = {
    Verb.START: 5, Verb.STOP: 5, Verb.RESTART: 3, Verb.PAUSE: 3, Verb.RESUME: 3, Verb.TOUCH: 2, Verb.RECOVER: 3,
    Verb.DELETE: 2, Verb.PUT_RUNNING: 2, Verb.PUT_STOPPED: 2,
}  # fmt: skip
_CHANGES: Mapping[Change, float] = {Change.PUT: 6, Change.ROLLBACK: 2, Change.BROKEN: 1}
_FAULTS: Mapping[Fault, float] = {
    Fault.DAEMON_KILL: 5, Fault.DAEMON_TERM: 1, Fault.DAEMON_HURRY: 1, Fault.DAEMON_KEEP: 2, Fault.RUNTIME_KILL: 4,
    Fault.RUNTIME_STOP: 3, Fault.MAIN_KILL: 3, Fault.SERVICE_KILL: 3, Fault.SERVICE_STOP: 3, Fault.REMOVED: 4,
}  # fmt: skip


def random_of(seed: int, actor: str) -> Random:
    """The source of one actor's decisions."""
    return Random(f"{seed}/{actor}")  # noqa: S311  # a seed, so that a failure comes again


def calls(random: Random) -> Iterator[Call]:
    """What a client sends, without end."""
    while True:
        how = _one(random, _HOWS)
        slug = random.choices((STORED, FLEETING, None), (6, 1, 3))[0]
        if how is How.UNLOADABLE:
            slug = None
        named = random.random() < 0.5
        yield Call(
            place=random.choice(CALLED),
            how=how,
            slug=slug,
            ms=random.randint(50, 2500),
            named=named,
            twice=named and random.random() < 0.15,
            pause_s=random.choice((0.0, 0.02, 0.1, 0.5)) * random.random(),
        )


def wild_acts(random: Random) -> Iterator[Act]:
    """What people do to workspaces that are being called."""
    return _acts(random, CALLED, _WILD, (0.2, 1.5))


def kept_acts(random: Random) -> Iterator[Act]:
    """What one person does to workspaces that nobody else touches."""
    return _acts(random, STILL, _KEPT, (0.0, 0.8))


def _acts(
    random: Random, places: tuple[Place, ...], verbs: Mapping[Verb, float], pauses: tuple[float, float]
) -> Iterator[Act]:
    while True:
        wait_s = random.choice((0.0, 0.0, 2.0))
        yield Act(random.choice(places), _one(random, verbs), wait_s, random.uniform(*pauses))


def plugin_acts(random: Random) -> Iterator[PluginAct]:
    """What the author of an owner's plugins does. What comes and goes is put again at once or a little later."""
    while True:
        slug = random.choice((STORED, STORED, FLEETING))
        change = _one(random, _CHANGES)
        if slug == FLEETING and random.random() < 0.4:
            change = Change.DELETE
        yield PluginAct(slug, change, random.random(), random.uniform(0.2, 2.5))


def blows(random: Random, *, on_daemon: bool) -> Iterator[Blow]:
    """What breaks. Without `on_daemon` the same is drawn, and the daemon's faults are left out."""
    while True:
        blow = Blow(
            fault=_one(random, _FAULTS),
            place=random.choice(EVERY),
            lasts_s=random.choice((0.2, 1.0, 3.0, 9.0)) * random.uniform(0.5, 1.0),
            pause_s=random.uniform(0.3, 3.0),
        )
        if on_daemon or blow.fault not in DAEMON_FAULTS:
            yield blow


def endings(random: Random) -> dict[str, str]:
    """What is wanted of each workspace at the very end, just before a last kill -9."""
    return {place.workspace: random.choice(("RUNNING", "STOPPED")) for place in EVERY}


def _one(random: Random, weights: Mapping[T, float]) -> T:
    return random.choices(list(weights), list(weights.values()))[0]
