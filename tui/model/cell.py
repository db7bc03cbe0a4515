"""What stands in a table: texts with the name of a style. Widgets know which colour a style has in the theme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Cell(NamedTuple):
    """`style`: `ok`, `warm`, `hot`, `bad`, `dim`, `id`, `accent`, or none."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, `width` cells wide."""

    key: str
    title: str
    width: int
    right: bool = False


_STATUS = {
    "RUNNING": Cell("● RUNNING", "ok"),
    "CREATING": Cell("◐ CREATING", "warm"),
    "PAUSED": Cell("‖ PAUSED", "accent"),
    "STOPPED": Cell("○ STOPPED", "dim"),
    "ERROR": Cell("✖ ERROR", "bad"),
}
_STATE = {
    "succeeded": Cell("✔ succeeded", "ok"),
    "queued": Cell("◌ queued", "dim"),
    "running": Cell("● running", "warm"),
    "failed": Cell("✖ failed", "bad"),
    "lost": Cell("? lost", "bad"),
    "cancelled": Cell("○ cancelled", "dim"),
}
_LEVEL = {
    "enforced": Cell("✔ enforced", "ok"),
    "best effort": Cell("~ best effort", "warm"),
    "absent": Cell("✖ absent", "bad"),
}
_SEVERITY = {"warning": Cell("▲ warning", "warm"), "critical": Cell("✖ critical", "bad")}


def status_cell(status: str) -> Cell:
    """A workspace's status: glyph, word and colour."""
    return _STATUS.get(status, Cell(f"? {status}"))


def state_cell(state: str) -> Cell:
    """An execution's state."""
    return _STATE.get(state, Cell(f"? {state}"))


def level_cell(level: str) -> Cell:
    """How far a limit is enforced."""
    return _LEVEL.get(level, Cell(f"? {level}"))


def severity_cell(severity: str) -> Cell:
    """How bad an alert is."""
    return _SEVERITY.get(severity, Cell(f"? {severity}"))
