"""How lists of records are shown: their columns, a line for each, the text in full, and what a filter looks at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tui.model import format as say
from tui.model.cell import Cell, Column, level_cell, severity_cell, state_cell
from wsmgr.wire.alert import Alert
from wsmgr.wire.base import Response
from wsmgr.wire.capability import Capability
from wsmgr.wire.event import Event
from wsmgr.wire.execution import Execution
from wsmgr.wire.plugin import PluginVersion

T = TypeVar("T", bound=Response)


@dataclass(frozen=True)
class ListColumn(Generic[T]):
    """`width` in cells; a column that `grows` takes what is left over. Those of a high `rank` go first when room
    lacks."""

    title: str
    width: int
    cell: Callable[[T, float], Cell]
    rank: int = 0
    grows: bool = False
    right: bool = False


@dataclass(frozen=True)
class Listed(Generic[T]):
    """`fields`: what `name:text` in a filter looks at. `growing`: newest first, older ones come in further pages."""

    columns: tuple[ListColumn[T], ...]
    key: Callable[[T], str]
    empty: str
    fields: Mapping[str, Callable[[T], str]] = field(default_factory=dict)
    growing: bool = False

    def layout(self, width: int) -> list[tuple[ListColumn[T], Column]]:
        """Which columns fit into `width` cells, and how wide each becomes."""
        shown = list(self.columns)
        while sum(one.width + 1 for one in shown) > width and any(one.rank for one in shown):
            shown.remove(max(shown, key=lambda one: one.rank))
        growing = [one for one in shown if one.grows]
        extra = max(width - sum(one.width + 1 for one in shown), 0)
        shares = {id(one): extra // len(growing) for one in growing} if growing else {}
        return [
            (one, Column(one.title, one.title, max(one.width + shares.get(id(one), 0), 1), right=one.right))
            for one in shown
        ]

    def matches(self, item: T, text: str) -> bool:
        """Whether all words of a filter hold: text anywhere, `name:text` in one field, `!word` the opposite."""
        return all(self._holds(item, word) for word in text.casefold().split())

    def _holds(self, item: T, word: str) -> bool:
        if word.startswith("!") and len(word) > 1:
            return not self._holds(item, word[1:])
        name, colon, wanted = word.partition(":")
        if colon and name in self.fields:
            return wanted in self.fields[name](item).casefold()
        return word in full_text(item).casefold()


def full_text(item: Response) -> str:
    """All members, as JSON that people can read; safe for a terminal."""
    told = json.dumps(item.model_dump(mode="json"), indent=2, ensure_ascii=False, default=str)
    return "\n".join(say.printable(line) for line in told.split("\n"))


def _version(version: str) -> str:
    return version[:12]


def change_of(event: Event) -> str:
    """What an event changed: `desired: RUNNING → STOPPED`."""
    if event.before is None or event.after is None:
        return ""
    return ", ".join(
        f"{name}: {event.before.get(name)} → {value}"
        for name, value in event.after.items()
        if event.before.get(name) != value
    )


EVENTS: Listed[Event] = Listed(
    columns=(
        ListColumn("WHEN", 11, lambda one, now: Cell(say.when(one.at, now), "dim")),
        ListColumn("WHO", 10, lambda one, _: Cell(say.printable(one.actor))),
        ListColumn("WHAT", 18, lambda one, _: Cell(one.action, "accent")),
        ListColumn("WORKSPACE", 14, lambda one, _: Cell(one.workspace or say.NOTHING, "id"), rank=1),
        ListColumn("WHY", 12, lambda one, _: Cell(say.printable(one.reason)), grows=True),
        ListColumn("CHANGE", 26, lambda one, _: Cell(say.printable(change_of(one)), "dim"), rank=2),
    ),
    key=lambda one: str(one.id),
    empty="No events.",
    fields={
        "actor": lambda one: one.actor,
        "action": lambda one: one.action,
        "target": lambda one: one.workspace or "",
        "reason": lambda one: one.reason,
    },
    growing=True,
)


def _error(one: Execution, _: float) -> Cell:
    if one.error is None:
        return Cell("")
    return Cell(say.printable(f"{one.error.type}: {one.error.message}"), "bad")


EXECUTIONS: Listed[Execution] = Listed(
    columns=(
        ListColumn("WHEN", 11, lambda one, now: Cell(say.when(one.created_at, now), "dim")),
        ListColumn("PLUGIN", 14, lambda one, _: Cell(say.printable(one.plugin), "id"), grows=True),
        ListColumn("STATE", 11, lambda one, _: state_cell(one.state)),
        ListColumn("TOOK", 7, lambda one, _: Cell(say.milliseconds(one.duration_ms)), right=True),
        ListColumn("QUEUE", 7, lambda one, _: Cell(say.milliseconds(one.queue_ms), "dim"), rank=2, right=True),
        ListColumn("START", 7, lambda one, _: Cell(say.milliseconds(one.start_ms), "dim"), rank=3, right=True),
        ListColumn("COLD", 4, lambda one, _: Cell("cold" if one.cold_start else "", "warm"), rank=4),
        ListColumn("VERSION", 12, lambda one, _: Cell(_version(one.version), "dim"), rank=5),
        ListColumn("ERROR", 20, _error, rank=1, grows=True),
    ),
    key=lambda one: one.id,
    empty="Nothing was executed here yet.",
    fields={"plugin": lambda one: one.plugin, "state": lambda one: one.state},
    growing=True,
)

PLUGINS: Listed[PluginVersion] = Listed(
    columns=(
        ListColumn("PLUGIN", 14, lambda one, _: Cell(one.slug, "id"), grows=True),
        ListColumn("VERSION", 12, lambda one, _: Cell(_version(one.version))),
        ListColumn("", 9, lambda one, _: Cell("✔ current", "ok") if one.current else Cell("")),
        ListColumn("LANGUAGE", 10, lambda one, _: Cell(one.language, "dim"), rank=2),
        ListColumn("SIZE", 6, lambda one, _: Cell(say.size(one.size)), rank=1, right=True),
        ListColumn("STORED", 19, lambda one, _: Cell(say.moment(one.created_at), "dim")),
        ListColumn("BY", 10, lambda one, _: Cell(say.printable(one.created_by)), rank=3),
    ),
    key=lambda one: f"{one.slug} {one.version}",
    empty="The owner has no plugins (`wsmgr plugin put` stores one).",
)


def alert_state(one: Alert) -> str:
    """`open`, `known` (acknowledged) or `over`."""
    return "over" if one.resolved_at is not None else "known" if one.acknowledged_at is not None else "open"


def _alert_state(one: Alert, _: float) -> Cell:
    state = alert_state(one)
    return Cell(state, {"open": "bad", "known": "warm"}.get(state, "dim"))


ALERTS: Listed[Alert] = Listed(
    columns=(
        ListColumn("NO", 5, lambda one, _: Cell(str(one.id), "dim"), right=True),
        ListColumn("SEVERITY", 10, lambda one, _: severity_cell(one.severity)),
        ListColumn("STATE", 6, _alert_state),
        ListColumn("SINCE", 13, lambda one, now: Cell(say.ago(now - one.raised_at.timestamp()), "dim")),
        ListColumn("WORKSPACE", 14, lambda one, _: Cell(one.workspace or say.NOTHING, "id"), rank=1),
        ListColumn("WHAT", 16, lambda one, _: Cell(say.printable(one.sentence)), grows=True),
        ListColumn("KNOWN TO", 12, lambda one, _: Cell(say.printable(one.acknowledged_by or "")), rank=2),
    ),
    key=lambda one: str(one.id),
    empty="No open alert: nothing here needs you.",
    fields={"severity": lambda one: one.severity, "state": alert_state, "target": lambda one: one.workspace or ""},
    growing=True,
)  # fmt: skip

CAPABILITIES: Listed[Capability] = Listed(
    columns=(
        ListColumn("ENGINE", 9, lambda one, _: Cell(one.isolation or say.NOTHING, "dim"), rank=2),
        ListColumn("WHAT", 18, lambda one, _: Cell(say.printable(one.name), "id")),
        ListColumn("LEVEL", 13, lambda one, _: level_cell(one.level)),
        ListColumn("EVIDENCE", 16, lambda one, _: Cell(say.printable(one.evidence)), grows=True),
        ListColumn("MEND", 16, lambda one, _: Cell(say.printable(one.mend or ""), "warm"), rank=1, grows=True),
    ),
    key=lambda one: f"{one.isolation} {one.name}",
    empty="The daemon has not proved anything yet.",
    fields={"level": lambda one: one.level},
)


_NOT_KEPT = "It is not kept: it was larger than the daemon's setting `executions_input_bytes`, or of an older daemon."


def execution_text(one: Execution) -> str:
    """An execution in full: timing, error, input, output, logs."""
    timing = (("queue", one.queue_ms), ("start", one.start_ms), ("own", one.duration_ms))
    lines = [
        f"id         {one.id}",
        f"plugin     {one.plugin} at {one.version}",
        f"state      {state_cell(one.state).text}",
        f"created    {say.moment(one.created_at)}",
        f"timing     {' · '.join(f'{name} {say.milliseconds(took)}' for name, took in timing)}",
        f"isolation  {one.isolation}{', degraded' if one.degraded else ''}{', cold start' if one.cold_start else ''}",
    ]
    if one.error is not None:
        lines += ["", f"ERROR      {one.error.type}: {one.error.message}", *(one.error.stack or "").split("\n")]
    given = json.dumps(one.input, indent=2, ensure_ascii=False, default=str) if one.input_kept else _NOT_KEPT
    lines += ["", "INPUT", *given.split("\n")]
    lines += ["", "OUTPUT", *json.dumps(one.output, indent=2, ensure_ascii=False, default=str).split("\n")]
    lines += ["", f"LOGS       {say.plural(len(one.logs), 'line')}{', cut' if one.logs_truncated else ''}"]
    lines += [f"{entry.level:<6} {entry.message}" for entry in one.logs]
    return "\n".join(say.printable(line) for line in lines)
